/* Dialling by name, with a DNS server of the test's own; and gateways that dial in. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lodewatch/registration.h>

#include "daemon/poll/dial.h"
#include "daemon/poll/listener.h"
#include "tests/faults/steady.h"
#include "tests/unit/unit.h"

static struct event_base *base;

static int
listen_at(const char *host, uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof a;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    inet_pton(AF_INET, host, &a.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 8), 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = ntohs(a.sin_port);
    return fd;
}

/* ---- names ---- */

static struct {
    struct evdns_server_port *server;
    struct event *readable;
    int fd;
    char address[4]; /* what every name has; 0.0.0.0: there is none, 255…: no answer */
    char other[4];   /* and it has this one, too, where it is not 0.0.0.0 */
    int asked_v6;
} dns;

static void
on_question(struct evdns_server_request *request, void *arg)
{
    const char *always = arg;
    if (always != NULL) {
        if (request->questions[0]->type == EVDNS_TYPE_A)
            evdns_server_request_add_a_reply(request, request->questions[0]->name, 1,
                                             always, 60);
        evdns_server_request_respond(request, 0);
        return;
    }
    dns.asked_v6 += request->questions[0]->type == EVDNS_TYPE_AAAA;
    if ((unsigned char)dns.address[0] == 255) {
        evdns_server_request_drop(request);
        return;
    }
    if (dns.address[0] != 0 && request->questions[0]->type == EVDNS_TYPE_A)
        evdns_server_request_add_a_reply(request, request->questions[0]->name, 1,
                                         dns.address, 60);
    if (dns.other[0] != 0 && request->questions[0]->type == EVDNS_TYPE_A)
        evdns_server_request_add_a_reply(request, request->questions[0]->name, 1,
                                         dns.other, 60);
    evdns_server_request_respond(request, dns.address[0] == 0 ? DNS_ERR_NOTEXIST : 0);
}

/* `always`: what it answers; NULL: as `dns` says. */
static struct evdns_server_port *
serve_dns(const char *resolv_conf, const char *always, int *ret_fd)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    struct evdns_server_port *server = evdns_add_server_port_with_base(
        base, fd, 0, on_question, (void *)(uintptr_t)always);
    assert_non_null(server);
    FILE *file = fopen(resolv_conf, "w");
    assert_non_null(file);
    fprintf(file, "nameserver 127.0.0.1:%u\n", ntohs(a.sin_port));
    fclose(file);
    *ret_fd = fd;
    return server;
}

static void
start_dns(char *resolv_conf)
{
    close(mkstemp(resolv_conf));
    dns.server = serve_dns(resolv_conf, NULL, &dns.fd);
}

static struct {
    int calls, fd, error;
} result;

static void
on_result(void *arg, int fd, int error)
{
    (void)arg;
    result.calls++;
    result.fd = fd;
    result.error = error;
    event_base_loopbreak(base);
}

static void
run_for(int ms)
{
    event_base_loopexit(
        base, &(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
    event_base_dispatch(base);
}

/* What became of an attempt, and what the connection's other end is. */
static void
dial_once(struct dial *dial)
{
    result.calls = 0;
    dial_begin(dial);
    if (result.calls == 0)
        run_for(10000);
    assert_int_equal(result.calls, 1);
}

static void
expect_peer(const char *want)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    char text[32];
    check_int(result.error, 0);
    check_int(getpeername(result.fd, (struct sockaddr *)&a, &len), 0);
    check_text(inet_ntop(AF_INET, &a.sin_addr, text, sizeof text), want);
    close(result.fd);
}

static void
names_are_looked_up_each_time(void **state)
{
    (void)state;
    char resolv_conf[] = "/tmp/lw-test-resolv-XXXXXX", text[64];
    uint16_t port = 0;
    int one = listen_at("127.0.0.7", &port), two = listen_at("127.0.0.8", &port);
    start_dns(resolv_conf);
    struct dial_pool pool = {.base = base, .resolv_conf = resolv_conf};
    struct dial_target target;
    struct dial *dial;
    snprintf(text, sizeof text, "gateway-7.example.test:%u", port);
    assert_int_equal(dial_target_parse(text, &target), 0);
    assert_int_equal(dial_new(&pool, &target, on_result, NULL, &dial), 0);

    row("found");
    memcpy(dns.address, "\x7f\0\0\x07", 4);
    dial_once(dial);
    expect_peer("127.0.0.7");
    row("it has moved");
    memcpy(dns.address, "\x7f\0\0\x08", 4);
    dial_once(dial);
    expect_peer("127.0.0.8");
    row("there is no such name");
    memset(dns.address, 0, 4);
    dial_once(dial);
    check_int(result.error, EAI_NONAME);
    check(strlen(dial_error_text(result.error)) > 0);
    row("there is again");
    memcpy(dns.address, "\x7f\0\0\x07", 4);
    dial_once(dial);
    expect_peer("127.0.0.7");
    row("it has another one, which is not used while the first will do");
    memcpy(dns.other, "\x7f\0\0\x09", 4);
    for (int i = 0; i < 3; i++) {
        dial_once(dial);
        expect_peer("127.0.0.7");
    }
    row("nobody is at the first one");
    memcpy(dns.address, "\x7f\0\0\x09", 4);
    memcpy(dns.other, "\x7f\0\0\x08", 4);
    dial_once(dial);
    check_int(result.error, ECONNREFUSED);
    for (int i = 0; i < 3; i++) {
        dial_once(dial);
        expect_peer("127.0.0.8");
    }
    /* Whatever this machine had when it was first asked: IPv6 may come up later. */
    check(dns.asked_v6 > 0);
    row("no answer");
    memset(dns.address, 255, 4);
    dial_once(dial);
    check(result.error == EAI_AGAIN || result.error == EAI_FAIL);
    row("given up while it is looked up");
    result.calls = 0;
    dial_begin(dial);
    dial_cancel(dial);
    run_for(50);
    check_int(result.calls, 0);
    row("and gone with it");
    dial_begin(dial);
    dial_free(dial);
    dial_pool_clear(&pool);
    run_for(50);
    check_int(result.calls, 0);

    evdns_close_server_port(dns.server);
    close(dns.fd);
    close(one);
    close(two);
    unlink(resolv_conf);
}

/* While other names are still being looked up, too. */
static void
servers_change(void **state)
{
    (void)state;
    char resolv_conf[] = "/tmp/lw-test-resolv-XXXXXX", text[64];
    uint16_t port = 0;
    int one = listen_at("127.0.0.7", &port), fd;
    start_dns(resolv_conf);
    struct dial_pool pool = {.base = base, .resolv_conf = resolv_conf};
    struct dial_target target;
    struct dial *dial, *other;
    snprintf(text, sizeof text, "gateway-7.example.test:%u", port);
    assert_int_equal(dial_target_parse(text, &target), 0);
    assert_int_equal(dial_new(&pool, &target, on_result, NULL, &dial), 0);
    assert_int_equal(dial_new(&pool, &target, on_result, NULL, &other), 0);

    row("another has no answer yet");
    memset(dns.address, 255, 4);
    dial_begin(other);
    run_for(20);
    memset(dns.address, 0, 4);
    dial_once(dial);
    check_int(result.error, EAI_NONAME);
    row("there is another server");
    memset(dns.address, 255, 4);
    struct evdns_server_port *server = serve_dns(resolv_conf, "\x7f\0\0\x07", &fd);
    dial_once(dial);
    expect_peer("127.0.0.7");
    row("which answers the other, too");
    result.calls = 0;
    run_for(1000);
    check_int(result.calls, 1);
    expect_peer("127.0.0.7");

    dial_free(dial);
    dial_free(other);
    dial_pool_clear(&pool);
    run_for(10);
    evdns_close_server_port(server);
    evdns_close_server_port(dns.server);
    close(fd);
    close(dns.fd);
    close(one);
    unlink(resolv_conf);
}

static void
addresses_need_no_lookup(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = listen_at("127.0.0.1", &port);
    struct dial_pool pool = {.base = base, .resolv_conf = "/nonexistent"};
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < LENGTH(hosts); i++) {
        struct dial_target target;
        struct dial *dial;
        char text[64];
        row(hosts[i]);
        snprintf(text, sizeof text, "%s:%u", hosts[i], port);
        assert_int_equal(dial_target_parse(text, &target), 0);
        assert_int_equal(dial_new(&pool, &target, on_result, NULL, &dial), 0);
        dial_once(dial);
        expect_peer("127.0.0.1");
        dial_free(dial);
    }
    assert_null(pool.dns);
    close(fd);
}

/* ---- those that dial in ---- */

static struct {
    struct listener *listener;
    uint16_t port;
    char came[8]; /* the letters of those that registered */
} in;

static void
on_dialled_in(void *arg, int fd)
{
    strncat(in.came, arg, 1);
    close(fd);
}

static int
call(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(in.port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static bool
is_closed(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

static void
start_listening(void)
{
    static const struct {
        const char *letter, *text;
    } known[] = {{"a", "GW-7"}, {"b", "DTU-10"}, {"c", "hex:01 02 ff"}, {"d", "DTU-1"}};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    in.port = 0;
    close(listen_at("127.0.0.1", &in.port)); /* one that is free */
    a.sin_port = htons(in.port);
    memset(in.came, 0, sizeof in.came);
    assert_int_equal(
        listener_new(base, (struct sockaddr *)&a, sizeof a, "test", &in.listener), 0);
    for (size_t i = 0; i < LENGTH(known); i++) {
        struct lw_registration r;
        assert_int_equal(lw_registration_parse(known[i].text, &r), 0);
        assert_int_equal(listener_await(in.listener, &r, on_dialled_in,
                                        (void *)(uintptr_t)known[i].letter),
                         0);
    }
    run_for(10);
}

static void
registers_those_it_knows(void **state)
{
    (void)state;
#define DATA(text) text, sizeof text - 1
    static const struct {
        const char *name;
        const char *first;
        size_t nfirst;
        const char *then;
        size_t nthen;
        const char *want;
        uint64_t unknown, mute;
    } rows[] = {
        {"known", DATA("GW-7"), NULL, 0, "a", 0, 0},
        {"with a line end", DATA("GW-7\r\n"), NULL, 0, "a", 0, 0},
        {"in two pieces", DATA("GW"), DATA("-7"), "a", 0, 0},
        {"one that begins like another", DATA("DTU-10"), NULL, 0, "b", 0, 0},
        {"in two pieces of which one is another's", DATA("DTU-1"), DATA("0"), "b", 0, 0},
        {"the beginning of another", DATA("DTU-1"), NULL, 0, "d", 0, 0},
        {"bytes", DATA("\x01\x02\xff"), NULL, 0, "c", 0, 0},
        {"unknown", DATA("DTU-2"), NULL, 0, "", 1, 0},
        {"unknown, though it begins like one", DATA("DTU-11"), NULL, 0, "", 1, 0},
        {"more behind it", DATA("GW-7"), DATA("x"), "", 1, 0},
        {"a master, not a gateway", DATA("\0\1\0\0\0\6\1\3\0\0\0\2"), NULL, 0, "", 1, 0},
        {"HTTP", DATA("GET / HTTP/1.1\r\n\r\n"), NULL, 0, "", 1, 0},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].name);
        start_listening();
        int fd = call();
        check(send(fd, rows[i].first, rows[i].nfirst, 0) > 0);
        run_for(40);
        if (rows[i].then != NULL)
            check(send(fd, rows[i].then, rows[i].nthen, 0) > 0);
        run_for(40);
        check_int(in.came[0], 0); /* nobody before the moment of quiet */
        run_for(rows[i].want[0] == 'd' ? LISTENER_DOUBT_MS : LISTENER_QUIET_MS);
        check_text(in.came, rows[i].want);
        const struct registration_counts *counts = listener_counts(in.listener);
        check_int(counts->accepted, 1);
        check_int(counts->registered, rows[i].want[0] != '\0');
        check_int(counts->unknown, rows[i].unknown);
        check_int(counts->waiting, 0);
        check(is_closed(fd));
        close(fd);
        listener_free(in.listener);
    }
}

static void
has_room_for_so_many_only(void **state)
{
    (void)state;
    static int fd[LISTENER_WAITING + 8];
    start_listening();
    for (size_t i = 0; i < LENGTH(fd); i++)
        fd[i] = call();
    run_for(20);
    const struct registration_counts *counts = listener_counts(in.listener);
    assert_int_equal(counts->waiting, LISTENER_WAITING);
    for (size_t i = 0; i < 16; i++) { /* those go, and the others' turn comes */
        close(fd[i]);
    }
    assert_true(send(fd[LENGTH(fd) - 1], "GW-7", 4, 0) > 0);
    run_for(LISTENER_QUIET_MS + 100);
    assert_string_equal(in.came, "a");
    assert_int_equal(counts->mute, 16);
    assert_int_equal(counts->waiting, LENGTH(fd) - 17);
    for (size_t i = 16; i < LENGTH(fd); i++)
        close(fd[i]);
    listener_free(in.listener);
}

static int
start(void **state)
{
    (void)state;
    base = event_base_new();
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    event_base_free(base);
    return 0;
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(names_are_looked_up_each_time), TEST(servers_change),
        TEST(addresses_need_no_lookup),      TEST(registers_those_it_knows),
        TEST(has_room_for_so_many_only),
    };
    return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}
