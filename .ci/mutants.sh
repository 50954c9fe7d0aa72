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

# The files of an area, which of their mutants (all, where nothing is said), and the tests that have to notice: those named
# and, where the area has some, those within the files.
files=()
tests=()
only=()
features=()
unit=no
case "${1:-}" in
    decision)
        files=('src/decision.rs' 'src/decision/**')
        tests=(decision authenticity)
        unit=yes
        ;;
    ledger)
        for name in commit counts deliver identity lanes lease listing moves pipeline prepare reconcile recovery rematch requeue \
            resolve fetch record run index folders schedule; do
            files+=("src/logger/$name.rs" "src/logger/$name/**")
        done
        files+=('src/wish.rs' 'src/caught.rs')
        tests=(logger fault_matrix simulation rematch)
        unit=yes
        ;;
    pool)
        files=('src/logger/pool.rs' 'src/logger/pool/**')
        tests=(pool)
        unit=yes
        ;;
    memory)
        files=('src/store/commit.rs' 'src/store/memory/commit.rs' 'src/store/memory/ledger.rs' 'src/store/memory/row.rs')
        tests=(conformance logger)
        unit=yes
        ;;
    sqlite)
        for name in commit decided identity lease moves record sightings; do
            files+=("src/store/sqlite/core/$name.rs")
        done
        tests=(conformance sqlite_store simulation)
        ;;
    postgres)
        # Where the programs of PostgreSQL are missing these tests pass over it, and every mutant would be missed.
        export EMAIL_LOGGING_REQUIRE_POSTGRES=1
        files=('src/store/postgres/core.rs' 'src/store/postgres/core/**')
        for name in pool fault; do files+=("src/store/postgres/$name.rs"); done
        tests=(postgres_store conformance)
        features=(--features postgres)
        unit=yes
        ;;
    limits)
        files=('src/message/limits.rs' 'src/http/body.rs')
        for name in input reader utf8 namespace; do files+=("src/source/ews/soap/$name.rs"); done
        tests=(message bombs fuzz ews_protocol autodiscover)
        unit=yes
        ;;
    mime)
        files=('src/message/mime.rs' 'src/message/mime/**')
        tests=(message bombs fuzz)
        ;;
    redaction)
        # Every Display and Debug outside the test kit, errors and ids. cargo-mutants 27 does not ask these expressions about
        # fields, so that those of every struct are made as well; they say nothing about this area.
        files=('src/**')
        only=(--re '^src/(error|ids)(\.rs|/)' --re '(Debug|Display) for' --exclude 'src/testkit/**')
        tests=(redaction canary contracts credentials security_checks autodiscover validation opportunity)
        unit=yes
        ;;
    url_policy)
        for name in policy guard reach url; do files+=("src/http/$name.rs"); done
        for name in url service_address; do files+=("src/setup/fields/$name.rs"); done
        tests=(transport fuzz setup)
        unit=yes
        ;;
    token_store)
        files=('src/credential/refresh_token.rs' 'src/store/memory/secret.rs')
        for name in refresh_tokens secrets; do files+=("src/credential/seal/$name.rs"); done
        for name in cache remembered; do files+=("src/credential/oauth/$name.rs" "src/credential/oauth/$name/**"); done
        tests=(oauth_security oauth_delegated sealed_secrets conformance)
        unit=yes
        ;;
    *)
        echo "areas: decision ledger pool memory sqlite postgres limits mime redaction url_policy token_store" >&2
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
[[ "$unit" = no ]] || arguments+=(--cargo-arg=--lib)
for test in "${tests[@]}"; do arguments+=(--cargo-arg=--test "--cargo-arg=$test"); done

mkdir -p "$place/$area"
head=$(git rev-parse HEAD)
[[ -e "$tree/.git" ]] || git worktree add --quiet --detach "$tree" "$head"
cd "$tree"
git checkout --quiet --force --detach "$head"
# The tests read ../shared beside the repository.
[[ ! -d ../../../../shared ]] || ln -sfn ../../../shared "$place/shared"
exec nice -n 15 cargo mutants --in-place --baseline skip --no-shuffle --timeout 120 --output "$place/$area" \
    "${features[@]}" "${arguments[@]}" "${only[@]}" "$@"
