# lodewatch. `make demo` shows it, `make check` tests it; HACKING.md has the rest.
BUILD ?= build
CC ?= gcc
PREFIX ?= /usr
VERSION := 0.1.0
SAN ?=
# V=1 shows the commands.
V ?=
Q := $(if $(V),,@)
say = @echo "  $(CC) $@"
OPT ?= -O2 -g

PKG := libevent libpq libmodbus jansson inih libsystemd zlib nettle
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wwrite-strings -Wvla -Wundef -Werror
CFLAGS_ALL = -std=gnu11 $(OPT) $(WARN) -ffp-contract=off -fno-common -fstack-protector-strong \
        -D_FORTIFY_SOURCE=2 -D_GNU_SOURCE -DLODEWATCH_VERSION='"$(VERSION)"' \
        -DLODEWATCH_PREFIX='"$(PREFIX)"' -MMD -MP $(SAN) $(CFLAGS)
LIBS = $(shell pkg-config --libs $(PKG)) -lm -lpthread
INCLUDES = -Iinclude -I. $(shell pkg-config --cflags $(PKG))
LDFLAGS_ALL = -Wl,-z,relro,-z,now $(SAN) $(LDFLAGS)

MAINS := daemon/main.c daemon/cli/main.c daemon/sim/main.c
LIB_SRC := $(wildcard lib/*.c lib/*/*.c)
EDGE_SRC := $(filter-out $(MAINS),$(wildcard daemon/*.c daemon/*/*.c))
UNIT_SRC := $(wildcard tests/unit/test_*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
EDGE_OBJ := $(EDGE_SRC:%.c=$(BUILD)/%.o)
UNIT := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
PROGRAMS := $(BUILD)/lodewatchd $(BUILD)/lodewatch $(BUILD)/lodewatch-sim

.DELETE_ON_ERROR:
.PHONY: all programs deps demo check soak lint format fuzz fuzzers fuzz-bin bench eval install deb clean \
        unit helpers

all: deps
	@$(MAKE) --no-print-directory -j$$(nproc) programs

programs: $(PROGRAMS)

# Only where something is missing; with root or sudo, and it says what.
deps:
	@tests/deps.sh $(DEPS)

$(BUILD)/lodewatchd: $(BUILD)/daemon/main.o $(BUILD)/libedge.a $(BUILD)/liblodewatch.a
$(BUILD)/lodewatch: $(BUILD)/daemon/cli/main.o $(BUILD)/libedge.a $(BUILD)/liblodewatch.a
$(BUILD)/lodewatch-sim: $(BUILD)/daemon/sim/main.o $(BUILD)/libedge.a $(BUILD)/liblodewatch.a
$(PROGRAMS):
	$(say)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/liblodewatch.a: $(LIB_OBJ)
	@rm -f $@
	@ar rcs $@ $^
$(BUILD)/libedge.a: $(EDGE_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CC) $(CFLAGS_ALL) $(INCLUDES) -c -o $@ $<

# What is embedded in an object is made anew with it.
$(BUILD)/daemon/store/migrate.o $(BUILD)/daemon/store/roles.o: $(wildcard daemon/store/sql/*.sql)
$(BUILD)/daemon/http/routes.o: daemon/http/openapi.json $(wildcard docs/schema/*.json)

unit: $(UNIT)
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libedge.a $(BUILD)/liblodewatch.a
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka

# --- tests

ASAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CLANG_BUILD = $(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/clang
SAN_BUILD = $(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/san OPT="-O1 -g" SAN="$(ASAN)"
TSAN_BUILD = $(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/tsan OPT="-O1 -g" \
             SAN="-fsanitize=thread"
THREADED := test_journal test_journal_room test_poll_line
INTEGRATION := $(wildcard tests/integration/test_*.py tests/replay/test_*.py tests/faults/test_*.py)

check:
	@tests/deps.sh check
	@$(MAKE) --no-print-directory -j$$(nproc) programs unit helpers
	@$(CLANG_BUILD) -j$$(nproc) programs unit
	@$(SAN_BUILD) -j$$(nproc) programs unit helpers
	@$(TSAN_BUILD) -j$$(nproc) $(THREADED:%=$(BUILD)/tsan/unit/%)
	@$(MAKE) --no-print-directory -j$$(nproc) fuzzers
	@tests/run BUILD=$(BUILD) tests/fuzz/fuzz.sh tests/lint/lint.sh $(INTEGRATION) $(UNIT) \
	    BUILD=$(BUILD)/clang $(UNIT:$(BUILD)/%=$(BUILD)/clang/%) \
	    BUILD=$(BUILD)/san $(INTEGRATION) $(UNIT:$(BUILD)/%=$(BUILD)/san/%) \
	    BUILD=$(BUILD)/tsan $(THREADED:%=$(BUILD)/tsan/unit/%)

# Programs that only the tests run.
HELPER_SRC := $(wildcard tests/integration/*.c) tests/lint/print_keys.c
HELPERS := $(addprefix $(BUILD)/helpers/,$(basename $(notdir $(HELPER_SRC))))
helpers: $(HELPERS)
$(BUILD)/helpers/%: $(BUILD)/tests/lint/%.o $(BUILD)/libedge.a $(BUILD)/liblodewatch.a
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
$(BUILD)/helpers/%: $(BUILD)/tests/integration/%.o $(BUILD)/libedge.a $(BUILD)/liblodewatch.a
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

lint: deps
	@tests/deps.sh check
	@$(MAKE) --no-print-directory -j$$(nproc) programs helpers
	@tests/lint/lint.sh
	@tests/lint/analyse.sh

format:
	git ls-files '*.[ch]' | xargs clang-format -i

# Every parser of foreign bytes: tests/fuzz/fuzz_WHAT.c with its corpus.
FUZZ_SECONDS ?= 60
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BUILD := $(BUILD)/fuzz
fuzzers:
	@$(MAKE) --no-print-directory CC=clang BUILD=$(FUZZ_BUILD) OPT="-O1 -g" \
	    SAN="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined" fuzz-bin
fuzz-bin: $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/bin/%)
$(BUILD)/bin/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libedge.a $(BUILD)/liblodewatch.a
	@mkdir -p $(@D)
	$(say)
	$(Q)clang -fsanitize=address,undefined,fuzzer $(LDFLAGS) -o $@ $^ $(LIBS)
fuzz: deps
	@tests/deps.sh check
	@$(MAKE) --no-print-directory -j$$(nproc) fuzzers
	@BUILD=$(BUILD) tests/fuzz/fuzz.sh $(FUZZ_SECONDS)

# Figures beside a reference in the same run: name value unit reference value ratio goal ok|short
BENCH ?=
BENCH_SRC := $(wildcard tests/bench/bench_*.c)
bench: deps
	@tests/deps.sh check
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(BENCH_SRC:tests/bench/%.c=$(BUILD)/bench/%)
	@BUILD=$(BUILD) tests/bench/run.sh "$(BENCH)"
$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libedge.a $(BUILD)/liblodewatch.a
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# A labelled set: make eval SET=DIR. The scorer beside it has the word, ours adds the rules to it.
eval: all
	@test -n "$(SET)" || { echo "usage: make eval SET=DIR" >&2; exit 2; }
	@$(BUILD)/lodewatch replay --ledger $(SET)/ledger $(SET)/readings.csv.gz >$(BUILD)/eval.ndjson
	@ours=tests/eval/score.py; its=$(SET)/../score.py; \
	    if [ -e $(SET)/labels/feeders.csv ]; then python3 $(SET)/../score_feeder.py $(SET) $(BUILD)/eval.ndjson; \
	    elif [ -e $$its ]; then python3 $$its $(SET) $(BUILD)/eval.ndjson && $$ours --rules $(SET) $(BUILD)/eval.ndjson; \
	    else $$ours $(SET) $(BUILD)/eval.ndjson; fi

# The long tests.
soak: deps
	@tests/deps.sh check
	@SOAK=1 $(MAKE) --no-print-directory fuzz FUZZ_SECONDS=600
	@BUILD=$(BUILD) SOAK=1 tests/run tests/integration/test_crash.py

demo: all
	@BUILD=$(BUILD) tests/demo.sh

# --- installing

DESTDIR ?=
install: programs
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/lodewatch $(BUILD)/lodewatch-sim
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/sbin $(BUILD)/lodewatchd
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/lodewatch/profiles etc/profiles/*.json
	install -D -m 644 -t $(DESTDIR)/etc/lodewatch etc/lodewatch.conf etc/rules.conf
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/systemd/system systemd/lodewatchd.service \
	    systemd/lodewatch-compact.service systemd/lodewatch-compact.timer
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/lodewatch/schema docs/schema/*.json
	for page in docs/man/*; do \
	    install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} $$page || exit 1; done
	install -D -m 644 systemd/lodewatch.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/lodewatch.conf
	install -D -m 644 systemd/lodewatch.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/lodewatch.conf
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/lodewatch/rules docs/rules/*.md
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/lodewatch README.md NEWS.md LICENSE docs/*.md

# build/lodewatch_VERSION_ARCH.deb
deb: deps
	@tests/deps.sh deb
	@mkdir -p $(BUILD)/deb
	$(Q)$(MAKE) -f debian/rules binary WORK=$(BUILD)/deb OUT=$(BUILD) FILES=$(BUILD)/deb/files BUILD=$(BUILD)

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJ:.o=.d) $(EDGE_OBJ:.o=.d) $(UNIT:$(BUILD)/unit/%=$(BUILD)/tests/unit/%.d) \
         $(MAINS:%.c=$(BUILD)/%.d) $(HELPER_SRC:%.c=$(BUILD)/%.d) \
         $(FUZZ_SRC:%.c=$(BUILD)/%.d) $(BENCH_SRC:%.c=$(BUILD)/%.d)
.SECONDARY:
