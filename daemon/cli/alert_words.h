/* What an alert is and how urgent, as people read it on a terminal. */
#ifndef DAEMON_CLI_ALERT_WORDS_H
#define DAEMON_CLI_ALERT_WORDS_H

struct alert_word {
    const char *name; /* as in the alert, and the English */
    const char *zh;
    const char *colour; /* of a priority; "": none */
};

/* By `data.alarm.priority`; what is unknown is low. */
const struct alert_word *alert_priority(const char *priority);
/* By the alert's type, or the word in it that counts. */
const struct alert_word *alert_kind(const char *type);

/* Prints a text of ASCII and Chinese, so many columns wide or wider. */
void print_padded(const char *text, int columns);

#endif
