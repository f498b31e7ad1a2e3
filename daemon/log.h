/* The log: one line a failure, by the edge that handles it. Priorities as systemd reads
 * them from standard error ("<3>…"); on a terminal a time and a word instead. Foreign
 * text is escaped. Thread-safe. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

enum log_level {
    LOG_ERROR = 3,
    LOG_WARN = 4,
    LOG_NOTE = 5,
    LOG_INFO = 6,
    LOG_TRACE = 7
};

/* Chooses journald's or a terminal's form from the environment; `most` is the least
 * important level that is written. */
void log_open(const char *program, enum log_level most);
void log_level_set(enum log_level most);
void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_note(...)  log_write(LOG_NOTE, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_trace(...) log_write(LOG_TRACE, __VA_ARGS__)

/* Only at start-up, and only in daemon/: logs and exits with `code`. */
void log_fatal(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

#endif
