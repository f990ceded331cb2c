# Social server. `make` alone lists what there is to make.
#
# All that is needed is Go, Node.js and make. Each part is rebuilt only when
# what it is made from has changed.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: services fuzz soak help run cluster build dev test check test-server test-client test-browser fmt lint generate \
	bench bench-short bench-browser screenshots clean

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BINARY := bin/social-server
DIST := server/internal/web/dist
INSTALLED := client/node_modules/.installed

# Folders are listed too: their time changes when a file in them comes or goes.
CLIENT_SOURCES := $(shell find client/app client/components client/lib client/sync client/public \
	\( -type d -o -type f ! -name '*.test.ts' ! -name '*.test.tsx' \) 2>/dev/null) \
	client/next.config.ts client/postcss.config.mjs client/tsconfig.json

# Next.js and npm ask no one about anything.
export NEXT_TELEMETRY_DISABLED := 1
export npm_config_fund := false
export npm_config_audit := false
export npm_config_update_notifier := false

headline = @printf '\n== %s ==\n' '$(1)'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build what changed and start it on http://localhost:3000
	@exec ./$(BINARY)

cluster: build services ## two nodes on PostgreSQL and Redis behind nginx on http://localhost:3000, until Ctrl-C
	@cd server && go build -o ../bin/cluster ./cmd/cluster
	@exec ./bin/cluster

# What several nodes stand on, and proxies; started by whoever needs it, in a folder of its own.
services:
	@sh .ci/need.sh postgres postgresql
	@sh .ci/need.sh redis-server redis-server
	@sh .ci/need.sh nginx nginx-light
	@sh .ci/need.sh caddy caddy

build: $(DIST)/index.html ## build bin/social-server, with the client inside
	@cd server && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o ../$(BINARY) .

dev: $(INSTALLED) ## edit both halves: the page on http://localhost:3001, the server restarted on change
	@exec sh .ci/dev.sh

test: check test-server fuzz test-client test-browser ## everything that must pass

check: ## formatting, vet, staticcheck, go.mod
	$(call headline,Go: format vet staticcheck tidy)
	@unformatted=$$(gofmt -l server) && test -z "$$unformatted" || { echo "not formatted (make fmt): $$unformatted"; exit 1; }
	cd server && go vet ./...
	cd server && go tool staticcheck ./...
	cd server && go mod tidy -diff

# On a machine that others share, a bound of time can be missed by chance: where CI is
# set, up to three tests that fail are tried once more, alone, and both runs are shown.
RACE := go test -race ./...
ifdef CI
RACE := go tool gotestsum --format standard-quiet --rerun-fails=1 --rerun-fails-max-failures=3 --packages=./... -- -race
endif

test-server: services ## Go tests, with the race detector
	$(call headline,Go: tests with the race detector)
	@sh .ci/need.sh gcc gcc libc6-dev
	cd server && CGO_ENABLED=1 $(RACE)
	$(call headline,Go: the model test in full - the race detector slows SQLite tenfold)
	cd server && go test -count=1 -run TestModel ./internal/faults
	$(call headline,Go: allocations of a change - the race detector makes some of its own)
	cd server && go test -count=1 -run TestAllocations ./internal/...

# Package and target of each decoder of what comes from outside.
FUZZ := protocol/FuzzDecode settings/FuzzParseSet settings/FuzzValue api/FuzzParseVersion account/FuzzVerify
FUZZTIME ?= 30s

fuzz: ## every decoder against random input, FUZZTIME each, all at once
	$(call headline,Go: $(FUZZTIME) of random input for each decoder)
	@cd server && for target in $(FUZZ); do \
		{ out=$$(go test "./internal/$${target%/*}" -run '^$$' -fuzz "^$${target#*/}\$$" -fuzztime $(FUZZTIME) -parallel 1 2>&1) \
			|| { echo "$$out"; exit 1; }; \
		echo "$$target: $$(echo "$$out" | grep execs | tail -n 1)"; } & pids="$$pids $$!"; \
	done; for pid in $$pids; do wait $$pid || exit 1; done

soak: ## the long runs: hundreds of kills, cuts and full disks, hours of random input
	cd server && SOAK=1 go test -count=1 -timeout 6h -v ./internal/faults
	@$(MAKE) --no-print-directory fuzz FUZZTIME=10m

# The server, once more with commits that take 2 ms longer, and what measures them.
BENCH := bin/bench -server $(BINARY) -slow-server bin/social-server-slow-commit -commit $(VERSION)

bench: build-bench ## measure the server beside its floors, and write docs/benchmarks.md (ten minutes)
	@mkdir -p docs
	@$(BENCH) -out docs/benchmarks.md $(ARGS)

bench-short: build-bench ## the same in two minutes, for a look; writes nothing
	@$(BENCH) -short $(ARGS)

.PHONY: build-bench
build-bench: build
	@printf '{"Replace":{"%s/slowcommit.go":"%s/slowcommit.go.txt"}}' "$(CURDIR)/server/internal/store" "$(CURDIR)/server/cmd/bench/testdata" > bin/slowcommit.json
	@cd server && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -overlay ../bin/slowcommit.json -o ../bin/social-server-slow-commit .
	@cd server && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o ../bin/bench ./cmd/bench

test-client: $(INSTALLED) ## client: lint, types, unit tests
	$(call headline,Client: lint)
	cd client && npm run --silent lint
	$(call headline,Client: types)
	cd client && npm run --silent typecheck
	$(call headline,Client: unit tests)
	cd client && npm run --silent test

test-browser: build services ## browser tests, against the built server and a cluster of two
	$(call headline,Browser tests)
	@cd server && go build -o ../bin/cluster ./cmd/cluster
	@sh .ci/need.sh curl curl ca-certificates
	@sh .ci/need.sh openssl openssl
	@chromium=$$(sh client/scripts/chromium.sh) && cd client && CHROMIUM_PATH="$$chromium" npm run --silent e2e

fmt: $(INSTALLED) ## format the code
	gofmt -w server
	cd client && npm run --silent format

lint: check $(INSTALLED) ## what can be found without running anything
	cd client && npm run --silent lint && npm run --silent typecheck

generate: ## write .env.example, the README's table of variables and deploy/nginx.conf
	cd server && go test -count=1 ./internal/config -run 'TestExampleIsTheTable|TestReadmeHasTheTable' -update
	cd server && go test -count=1 ./deploy -run TestNginxIsTheTemplate -update

bench-browser: build ## how soon a slider's step is seen on the other device
	@chromium=$$(sh client/scripts/chromium.sh) && cd client && CHROMIUM_PATH="$$chromium" npx playwright test --config e2e/latency.config.ts

screenshots: build ## take the pictures in img/ from the running program
	@chromium=$$(sh client/scripts/chromium.sh) && cd client && CHROMIUM_PATH="$$chromium" npx playwright test --config e2e/screenshots.config.ts

clean: ## remove what was built; the data stays
	rm -rf bin client/out client/.next client/node_modules client/test-results
	find $(DIST) -mindepth 1 ! -name .gitkeep -delete

$(INSTALLED): client/package-lock.json client/package.json client/.npmrc
	cd client && npm ci
	@touch $@

# Next.js writes only inside client/, and embedding reads only inside server/:
# hence the copy.
$(DIST)/index.html: $(INSTALLED) $(CLIENT_SOURCES)
	cd client && CI=1 npm run --silent build
	@find $(DIST) -mindepth 1 ! -name .gitkeep -delete
	@cp -r client/out/. $(DIST)/
	@touch $@
