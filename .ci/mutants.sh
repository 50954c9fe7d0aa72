#!/usr/bin/env bash
# Mutants of one area: each changes one thing in the code, and the tests that are named for that area must notice.
#
#   .ci/mutants.sh AREA [cargo-mutants' own arguments]
#
# Needs `cargo install cargo-mutants --locked`. Mutants are made in a worktree of their own at HEAD, so that what is
# edited meanwhile is not touched, and built there one at a time: about five seconds each on a machine that does nothing
# else. What is left out, and why, is in .cargo/mutants.toml. With --iterate those that were caught before are passed
# over. The lists of caught, missed and unviable mutants are in target/mutants/AREA/mutants.out.
set -euo pipefail
cd "$(dirname "$0")/.."

# The files of an area, and the tests that have to notice.
files=()
tests=()
case "${1:-}" in
    decision)
        files=('src/decision.rs' 'src/decision/**')
        tests=(decision)
        ;;
    logger)
        for name in commit moves recovery identity listing lease prepare requeue deliver reconcile; do
            files+=("src/logger/$name.rs" "src/logger/$name/**")
        done
        tests=(logger simulation)
        ;;
    memory)
        files=('src/store/memory/commit.rs' 'src/store/memory/ledger.rs')
        tests=(conformance logger)
        ;;
    sqlite)
        for name in commit decided identity lease moves sightings; do
            files+=("src/store/sqlite/core/$name.rs")
        done
        tests=(conformance sqlite_store simulation)
        ;;
    limits)
        files=('src/message/limits.rs' 'src/message/mime.rs' 'src/message/mime/**')
        tests=(message bombs fuzz)
        ;;
    policy)
        for name in policy guard reach url; do files+=("src/http/$name.rs"); done
        tests=(transport fuzz)
        ;;
    tokens)
        files=('src/credential/oauth/cache.rs' 'src/credential/oauth/remembered.rs')
        tests=(oauth_security oauth_delegated)
        ;;
    *)
        echo "areas: decision logger memory sqlite limits policy tokens" >&2
        exit 2
        ;;
esac
area=$1
shift

place="$PWD/target/mutants"
tree="$place/tree"
export CARGO_TARGET_DIR="$place/build"
export CARGO_INCREMENTAL=1

arguments=()
for file in "${files[@]}"; do arguments+=(--file "$file"); done
for test in "${tests[@]}"; do arguments+=(--cargo-arg=--test "--cargo-arg=$test"); done

mkdir -p "$place/$area"
head=$(git rev-parse HEAD)
[[ -e "$tree/.git" ]] || git worktree add --quiet --detach "$tree" "$head"
cd "$tree"
git checkout --quiet --force --detach "$head"
# The tests read ../shared beside the repository.
[[ ! -d ../../../../shared ]] || ln -sfn ../../../shared "$place/shared"
exec nice -n 15 cargo mutants --in-place --baseline skip --no-shuffle --timeout 120 --output "$place/$area" \
    "${arguments[@]}" "$@"
