/* Faults, told to people. */
#ifndef DAEMON_FAULTS_H
#define DAEMON_FAULTS_H

#include <stdio.h>

#include <lodewatch/fault.h>

/* A line each, "file:line:column: text", as compilers write them. */
void faults_print(FILE *file, struct lw_faults *faults);
/* The same as errors in the log. */
void faults_log(const struct lw_faults *faults);

#endif
