#!/bin/sh
# Every C file is as .clang-format has it.
set -eu
cd "$(dirname "$0")/../.."
git ls-files '*.[ch]' | xargs clang-format --dry-run --Werror
