#!/bin/sh
# Static analysis; every finding is an error.
set -eu
cd "$(dirname "$0")/../.."
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
    --inline-suppr --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    -Iinclude -I. lib daemon
