# What a developer does with flowwd. `make` lists the targets.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X main.version=$(VERSION)) $(if $(COMMIT),-X main.commit=$(COMMIT))

# The binary's setting is that of the tests, of what they build and of what looks at the source: Go compiles for each
# setting anew. Only the race detector needs the other one.
export CGO_ENABLED := 0

# The version is stamped above, from what git tells or not at all; the Go command would fail where git does.
GOBUILD := go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/flowwd, one static file
	$(GOBUILD) -o bin/flowwd ./cmd/flowwd

.PHONY: run
run: build ## serve on 127.0.0.1:8080 with data in .data, deploy examples/hello and show what happens
	@exec scripts/run

# The tests that kill, freeze and cut the power. Run from their own folders they print what was sent and what became of it.
FAULTS := internal/apptest/kill internal/apptest/powercut

# The tests whose work is done by processes of their own, a browser among them, which the race detector does not see.
PROCESSES := cmd/flowwd sdk internal/apptest/pages internal/apptest/moving internal/apptest/replicas internal/apptest/compat internal/apptest/images internal/apptest/https internal/apptest/faults

# The JavaScript engine, SQLite and their C library are machine-made Go on one thread each, where the race detector finds
# nothing and takes twenty times as long. No more than these: what a package left out instantiates of sync's generics
# (sync.Map) is linked for everyone, and the detector then sees races where there are none.
UNRACED := modernc.org/libc modernc.org/memory modernc.org/libquickjs modernc.org/sqlite/lib
RACE := -race $(UNRACED:%=-gcflags='%=-race=false')

# Tests wait for processes, disks and timers more than they compute: more of them at a time than there are processors.
# What go test would vet is what make lint vets. Without what debuggers read, fifty programs of tests are linked in half
# the time.
TESTFLAGS := -vet=off -ldflags='-s -w' -timeout 15m
GOTEST := go test $(TESTFLAGS) -parallel 4

# The tests that compare the store with a model of it do one thing after another, where the race detector finds nothing.
MODELS := ^Test(SQLite|PostgreSQL)$$/_model$$

# So do those that ask for everything there is as everybody there is.
WALKS := ^Test(RoutesByPrincipal|RoutesByRoleAndScope|EveryPageByRole|DescribedOperations|SchedulesThroughALeapYear)$$

# The tests to whose subject it makes no difference which database there is: what pages look like, examples, hostile code,
# limits in memory. The suite of the store runs on both.
EITHER := Page|Example|Documented|Hostile|RedTeam|Flood|Throttl|TooOften|Guess|Header|Debug

# Begun first, for no processor to wait for them at the end.
LONGEST := ./internal/apptest ./internal/store ./internal/apptest/realtime ./internal/engine/docker

# What tests of whole servers start, linked once for all packages. Go runs tests again when it is another file, or a newer
# one: it must not be written where nothing has changed.
test test-fast: export TEST_BINARY := $(CURDIR)/.tools/flowwd
BUILD_TEST_BINARY = go build -buildvcs=false -ldflags '-s -w' -o $(TEST_BINARY).new ./cmd/flowwd && \
	{ cmp -s $(TEST_BINARY).new $(TEST_BINARY) || cp -f $(TEST_BINARY).new $(TEST_BINARY); }

.PHONY: test
test: ## all tests, with the race detector; sets up what they need
	scripts/setup
	$(BUILD_TEST_BINARY)
	$(MAKE) --jobs=4 --output-sync=target compile-race $(WAITING)
	$(MAKE) --jobs=2 --output-sync=target test-race test-models
	$(MAKE) --jobs=3 --output-sync=target $(UNDETECTED)

# Parts of `make test` without the race detector, the longest first. Those that wait most of their time do so while
# everything is compiled for the race detector; the models, which do one thing after another, beside what runs with it.
WAITING    := test-kill-postgres test-kill test-powercut
UNDETECTED := test-processes test-postgres test-walks

.PHONY: compile-race test-race test-models $(WAITING) $(UNDETECTED)
compile-race:
	CGO_ENABLED=1 nice go build $(RACE) -tags external ./internal/...
test-race:
	CGO_ENABLED=1 $(GOTEST) $(RACE) -p 3 -tags external -skip '$(MODELS)|$(WALKS)' $$(go list -tags external $(LONGEST) ./... | grep -v $(patsubst %,-e '/%$$',$(FAULTS) $(PROCESSES)))
test-kill test-powercut: test-%:
	go test -C internal/apptest/$* $(TESTFLAGS) -tags external
test-kill-postgres:
	TEST_DATABASE=postgres go test -C internal/apptest/kill $(TESTFLAGS) -tags external -rounds 20
test-postgres:
	TEST_DATABASE=postgres $(GOTEST) -tags external -skip '$(EITHER)' ./internal/apptest
test-processes: # the sandbox's bound of memory does not hold under the race detector
	$(GOTEST) -p 3 -tags external $(PROCESSES:%=./%) ./internal/engine/embedded/sandbox
test-models:
	$(GOTEST) -tags external -run '$(MODELS)' ./internal/store
test-walks:
	$(GOTEST) -tags external -run '$(WALKS)' ./internal/apptest

SOAK ?= 20m
RATE ?= 100

.PHONY: soak
soak: ## put steady load on a server for SOAK (20m) and fail when memory, descriptors, goroutines, files or latency grow; RATE events a second
	go test -C internal/apptest/soak -vet=off -count=1 -v -timeout 0 -tags soak -run TestSoak -time $(SOAK) -rate $(RATE)

ROUNDS ?= 500
SEED   ?= 0

.PHONY: kill-rounds
kill-rounds: ## kill the server ROUNDS times under load on each database and count what was lost; SEED repeats the choices
	scripts/setup
	go test -C internal/apptest/kill -timeout 0 -tags external -run TestKillRounds -rounds $(ROUNDS) -seed $(SEED)
	TEST_DATABASE=postgres go test -C internal/apptest/kill -timeout 0 -tags external -run TestKillRounds -rounds $(ROUNDS) -seed $(SEED)

FUZZ    ?= 10000000x
TARGETS ?= .

.PHONY: fuzz
fuzz: ## give each parser of outside bytes FUZZ inputs (a count, 10000000x, or a time, 30s); TARGETS chooses some by a pattern
	scripts/fuzz '$(FUZZ)' '$(TARGETS)'

# Of the tests of whole servers, those that `make test-fast` asks: what events, schedules and people start, how it goes on
# and ends, and that nobody meddles with what is another's.
FRONT := ^Test(FirstRun|Webhook|BodiesReach|UnknownWebhook|HandlerResponds$$|Repeated|Retries$$|RetrySurvives|Cancel$$|ScheduleRuns|ManualRuns|Replay$$|HandlersUseKV|HandlersGetSecrets|StreamResumes|CompileErrors|Redeploy|DevTakesEvents|RunsDoNotSee|TenantsAreApart|Folders$$|Grants$$|TokensAtTheFrontDoor|AdminPagesByPrincipal)

.PHONY: test-fast
test-fast: ## under two minutes, once compiled: all packages without what they need from outside, and whole servers by some tests
	$(BUILD_TEST_BINARY)
	$(GOTEST) -short -run '$(FRONT)' ./internal/apptest
	$(GOTEST) -short -skip '$(MODELS)' $$(go list ./... | grep -v /internal/apptest)

.PHONY: lint
lint: ## formatting, vet, staticcheck and the rules of the house
	@unformatted=$$(gofmt -l $$(find . -name '*.go' -not -path './.*')); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	go tool -modfile=tools/go.mod templ fmt -fail -log-level warn internal/web
	go vet -tags external ./...
	go tool -modfile=tools/go.mod staticcheck -tags external ./...
	go test -count=1 -v ./internal/house

.PHONY: generate
generate: ## write the files that are made of others
	go run ./internal/config/settingsdoc > docs/settings.md.new && mv docs/settings.md.new docs/settings.md
	go tool -modfile=tools/go.mod templ generate -log-level warn -path internal/web

.PHONY: verify
verify: ## fail when a generated file is stale
	go run ./internal/config/settingsdoc | diff -u docs/settings.md -
	@new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && cp -r internal/web/. "$$new" && find "$$new" -name '*_templ.go' -delete && \
	go tool -modfile=tools/go.mod templ generate -log-level error -path "$$new" && diff -ru internal/web "$$new"

.PHONY: bench
bench: build ## measure the built binary; writes bench/RESULTS.md
	go run ./bench

.PHONY: bench-check
bench-check: build ## compare the built binary with the floor, the least that acknowledges events; fails when it got half as fast beside it
	go run ./bench -check

.PHONY: screenshots
screenshots: ## make the pictures in docs/screenshots with Chromium, of a server that is filled for it
	mkdir -p docs/screenshots
	go test -C internal/apptest/pages -vet=off -count=1 -tags external,screenshots -run TestScreenshots -pictures $(CURDIR)/docs/screenshots

.PHONY: compat
compat: ## try the npm packages that workflow authors use most; writes the table in docs/compatibility.md
	scripts/compat

.PHONY: cross
cross: ## compile for every platform that is supported
	GOOS=linux GOARCH=amd64 $(GOBUILD) -o /dev/null ./cmd/flowwd
	GOOS=linux GOARCH=arm64 $(GOBUILD) -o /dev/null ./cmd/flowwd
	GOOS=darwin GOARCH=arm64 $(GOBUILD) -o /dev/null ./cmd/flowwd
