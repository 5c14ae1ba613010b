# sigma: a PostgreSQL extension.
#
#   make, make install, make installcheck     as with every PGXS extension; PG_CONFIG= chooses the server
#   make check                                the whole suite on a temporary cluster of its own
#   make demo [CSV=FILE], make up, make down  the demo app
#   make bench, make debug, make coverage     ratios, the checked build, the lines the tests reach
#
# The targets of the second kind work on a machine without PostgreSQL: they
# install what is missing first, so they must not read PGXS.

EXTENSION = sigma
EXTVERSION = 1.0
PG_CONFIG ?= pg_config

STANDALONE = check demo up down bench debug coverage deps

ifneq ($(filter $(STANDALONE),$(MAKECMDGOALS)),)

ifneq ($(filter-out $(STANDALONE),$(MAKECMDGOALS)),)
$(error run "make $(filter $(STANDALONE),$(MAKECMDGOALS))" by itself, without $(filter-out $(STANDALONE),$(MAKECMDGOALS)))
endif

.PHONY: $(STANDALONE)
.NOTPARALLEL:

deps:
	@test/tools/deps

check demo up down bench debug coverage: deps
	@PG_CONFIG="$(PG_CONFIG)" CSV="$(CSV)" test/tools/$@

else

MODULE_big = $(EXTENSION)
SRCS = $(wildcard src/*.c src/*/*.c)
OBJS = $(SRCS:.c=.o)
DATA = $(EXTENSION)--$(EXTVERSION).sql
PGFILEDESC = "sigma - a local warehouse for Sigma-style data apps"

PG_CPPFLAGS = -I$(srcdir)/src
SHLIB_LINK =

TESTS = $(sort $(wildcard test/sql/*.sql))
REGRESS = $(patsubst test/sql/%.sql,%,$(TESTS))
REGRESS_OPTS = --inputdir=test --outputdir=test/results --load-extension=$(EXTENSION)
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation/results --load-extension=$(EXTENSION)
TAP_TESTS = 1
PROVE_TESTS = test/tap/*.pl

EXTRA_CLEAN = $(OBJS:.o=.d) $(OBJS:.o=.gcno) $(OBJS:.o=.gcda) build test/results test/isolation/results

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Objects for another server than the last one are made anew.  (Not by a rule: PGXS
# takes all targets for secondary, and such ones are not made because they are missing.)
BUILT_FOR := build/server-$(VERSION)
ifeq ($(filter clean distclean,$(MAKECMDGOALS))$(wildcard $(BUILT_FOR)),)
$(shell rm -f build/server-*; mkdir -p build && touch $(BUILT_FOR))
endif
$(OBJS) $(OBJS:.o=.bc): $(BUILT_FOR)

# PGXS does not follow headers.
override CFLAGS += -MMD -MP
-include $(OBJS:.o=.d)

endif
