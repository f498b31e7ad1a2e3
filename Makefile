# lodewatch. `make demo` shows it, `make check` tests it; HACKING.md has the rest.
BUILD ?= build
CC ?= gcc
PREFIX ?= /usr
VERSION := 0.1.0
SAN ?=
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
.PHONY: all programs deps demo check soak lint format fuzz bench eval install clean unit

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
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/liblodewatch.a: $(LIB_OBJ)
	@rm -f $@
	@ar rcs $@ $^
$(BUILD)/libedge.a: $(EDGE_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(INCLUDES) -c -o $@ $<

unit: $(UNIT)
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libedge.a $(BUILD)/liblodewatch.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJ:.o=.d) $(EDGE_OBJ:.o=.d) $(UNIT:$(BUILD)/unit/%=$(BUILD)/tests/unit/%.d) \
         $(MAINS:%.c=$(BUILD)/%.d)
.SECONDARY:
