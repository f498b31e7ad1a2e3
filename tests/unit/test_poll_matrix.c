/* Every fault over every transport: the reading is right or missing, never wrong; the
 * bus recovers within one backoff; neither its other unit nor other gateways notice more
 * than the connection's loss; and no turn of the loop takes long. All rows of a transport
 * run at once, each on a gateway of its own. What else a transport has:
 * test_poll_faults.c, test_poll_rtu.c, test_poll_line.c; names that fail or change:
 * test_dial.c. */
#include "tests/faults/fixture.h"
#include "tests/faults/steady.h"

enum {
    INTERVAL_S = 60,
    ROUNDS = 12,
    /* What is left of a gateway that dials in until it is known again, in rounds. */
    AWAITED = 4,
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    TURN_US = 100 * 1000,
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    TURN_US = 100 * 1000,
#else
    TURN_US = 10 * 1000,
#endif
#else
    TURN_US = 10 * 1000,
#endif
};

/* A letter of tests/faults/fault_answers.h, ' ' where the framing has no such thing; it
 * comes to the second of the second reading's two requests, and to the first one when it
 * is tried again: they differ in their address alone. `link`: it concerns the connection,
 * which is another matter where it is the gateway that makes it. */
static const struct fault {
    const char *name;
    char mbap, rtu;
    bool link;
} faults[] = {
    {"half a frame", 'h', 'h', true},
    {"a byte at a time", 'd', 'd', false},
    {"another transaction", 'i', ' ', false},
    {"another unit", 'u', 'u', false},
    {"another function", 'f', 'f', false},
    {"fewer registers", 'l', 'l', false},
    {"a byte count that is not so", 'b', 'b', false},
    {"oversize", 'o', 'o', true},
    {"another protocol", 'p', ' ', true},
    {"a wrong CRC", ' ', 'x', false},
    {"an answer after the timeout", 'z', 'z', true},
    {"an answer after the silence that follows", ' ', 'Z', false},
    {"silence", 's', 's', true},
    {"exception 1", '1', '1', false},
    {"exception 2", '2', '2', false},
    {"exception 3", '3', '3', false},
    {"exception 4", '4', '4', false},
    {"exception 5", '5', '5', false},
    {"exception 6", '6', '6', false},
    {"exception 7", '7', '7', false},
    {"exception 8", '8', '8', false},
    {"exception 9", '9', '9', false},
    {"exception 10", 'A', 'A', false},
    {"exception 11", 'B', 'B', false},
    {"an exception without a code", 'e', 'e', false},
    {"no value", 'v', 'v', false},
    {"garbage before the frame", 'n', 'n', true},
    {"garbage after the frame", 'm', 'm', false},
    {"the answer twice", 't', 't', false},
    {"reset", 'r', 'r', true},
    {"closed", 'c', 'c', true},
    {"a connection that goes silent", 'q', 'q', true},
    {"a second client takes the only connection", 'K', 'K', true},
};

enum {
    FAULTS = sizeof faults / sizeof faults[0]
};

static const struct transport {
    const char *name;
    bool rtu, dials;
    double rate; /* of the clock: whoever dials in takes real time to be known */
} transports[] = {
    {"tcp", false, false, 1e9},
    {"rtu_over_tcp", true, false, 1e9},
    {"dial_in_tcp", false, true, 300},
    {"dial_in_rtu", true, true, 300},
};

static struct fixture *f;
static struct fault_server *server[FAULTS];
static char script[FAULTS][8], packet[FAULTS][8];

static uint16_t
free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static char
letter(const struct transport *t, int i)
{
    if (t->dials && !faults[i].link)
        return ' ';
    return t->rtu ? faults[i].rtu : faults[i].mbap;
}

static void
run(const struct transport *t)
{
    static char gateways[FAULTS * 80], meters[FAULTS * 120];
    size_t g = 0, m = 0;
    uint16_t port = t->dials ? free_port() : 0;
    f = fixture_new_at(t->rate);
    for (int i = 0; i < FAULTS; i++) {
        char how = letter(t, i);
        server[i] = NULL;
        if (how == ' ')
            continue;
        snprintf(script[i], sizeof script[i], "ggg%c%c", how, how);
        snprintf(packet[i], sizeof packet[i], "DTU%03d", i);
        server[i] = t->dials ? server_start_dialling(f->base, f->clock, script[i], port,
                                                     packet[i])
                             : server_start(f->base, f->clock, script[i]);
        server[i]->rtu = t->rtu;
        g += (size_t)snprintf(
            gateways + g, sizeof gateways - g, "g%d,%s,127.0.0.1:%u,1,0,100,%s\n", i,
            t->name, t->dials ? port : server[i]->port, t->dials ? packet[i] : "");
        m += (size_t)snprintf(meters + m, sizeof meters - m,
                              "bad%d,2020-01-01,,context,g%d,1,same,%d\n"
                              "beside%d,2020-01-01,,context,g%d,2,same,%d\n",
                              i, i, INTERVAL_S, i, i, INTERVAL_S);
    }
    fixture_poll(f, gateways, meters);
    fixture_run_until(f, ROUNDS * INTERVAL_S - 1);
}

/* What is not good is over within one backoff: a failed read or two and, where there was
 * no connection, what fell due until it was tried for again. */
static void
expect(const struct transport *t, int i, const char *who, unsigned unit)
{
    char id[32];
    snprintf(id, sizeof id, "%s%d", who, i);
    const char *history = fixture_history(f, id, unit);
    int n = (int)strlen(history), bad = 0;
    for (int k = 0; k < n; k++)
        bad += history[k] != 'G';
    int most = (t->dials ? AWAITED : 0) + 3;
    if (strchr(history, 'W') != NULL)
        fail_msg("%s, %s: a wrong reading of %s: %s", t->name, faults[i].name, id,
                 history);
    if (n < ROUNDS - 1 || bad > most || strcmp(history + n - 3, "GGG") != 0)
        fail_msg("%s, %s: %s does not recover: %s", t->name, faults[i].name, id, history);
}

static void
every_fault(void **state)
{
    const struct transport *t = *state;
    run(t);
    for (int i = 0; i < FAULTS; i++) {
        if (server[i] == NULL)
            continue;
        expect(t, i, "bad", 1);
        expect(t, i, "beside", 2);
        if (server[i]->not_reads != 0 || *server[i]->script != '\0')
            fail_msg("%s, %s: what was sent is no read, or the fault never came", t->name,
                     faults[i].name);
    }
    if (f->turn_us > TURN_US)
        fail_msg("%s: a turn of the loop took %lld us", t->name, (long long)f->turn_us);
    print_message("  the longest turn took %lld us\n", (long long)f->turn_us);
}

static int
stop(void **state)
{
    (void)state;
    for (int i = 0; i < FAULTS; i++) {
        server_stop(server[i]);
        server[i] = NULL;
    }
    fixture_free(f);
    return 0;
}

int
main(void)
{
    enum {
        TRANSPORTS = sizeof transports / sizeof transports[0]
    };
    struct CMUnitTest tests[TRANSPORTS];
    for (size_t i = 0; i < TRANSPORTS; i++)
        tests[i] = (struct CMUnitTest){.name = transports[i].name,
                                       .test_func = every_fault,
                                       .teardown_func = stop,
                                       .initial_state = (void *)&transports[i]};
    return cmocka_run_group_tests_name("poll_matrix", tests, NULL, NULL);
}
