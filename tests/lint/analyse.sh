#!/bin/sh
# Static analysis; every finding is an error. cppcheck does not know <sys/queue.h>: it takes
# a LIST_FOREACH for a call, and its variable for one without a value.
set -eu
cd "$(dirname "$0")/../.."
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
    --inline-suppr --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    --suppress=uninitvar:daemon/http/server.c --suppress=uninitvar:daemon/journal_reader.c \
    '-DLIST_HEAD(n,t)=struct queue_head' \
    '-DTAILQ_HEAD(n,t)=struct queue_head' \
    -Iinclude -I. lib daemon
