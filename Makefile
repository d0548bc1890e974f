# Edge. Two commands do everything on a fresh machine: `make start` and `make test`. `make help` lists the rest.

NODE := node_modules/.bin/node
# Folders of tests that need no peer: all but these.
ROOMS := $(filter-out bench e2e hostile lib transcripts,$(notdir $(patsubst %/,%,$(wildcard test/*/))))

.DEFAULT_GOAL := help
.PHONY: help start test tested check types lint format unit mutate bench bench-directory bench-sync bench-tls bench-shell fuzz hostile soak soak-crash guesses lab-tls peers clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

node_modules/.installed: package.json package-lock.json
	npm ci
	@touch $@

start: node_modules/.installed ## an Edge appliance and its internal hub on loopback ports, with real messages through them
	@$(NODE) --disable-warning=ExperimentalWarning src/bin/lab.ts

# Packages of npm and of Debian come at the same time; the type check and the linter run beside the first tests.
test: ## installs the real peers, then type check, linter and all tests
	@$(MAKE) --no-print-directory --jobs=4 check tested

tested: node_modules/.installed peers
	@$(NODE) test/lib/run-all.ts

check: types lint ## type check, linter, formatter

types: node_modules/.installed
	@$(NODE) node_modules/typescript/bin/tsc -p tsconfig.json

lint: node_modules/.installed
	@node_modules/.bin/biome check --config-path=.config src test certs
	@$(NODE) node_modules/oxlint/bin/oxlint -c .config/oxlint.jsonc src test certs

format: node_modules/.installed ## rewrites the sources in the house format
	@node_modules/.bin/biome check --write --config-path=.config src test certs

unit: node_modules/.installed ## tests that need no peer
	@$(NODE) --test $(foreach room,$(ROOMS),'test/$(room)/**/*.test.ts')

bench: node_modules/.installed peers ## Edge against Postfix in the same run, as ratios; then memory and start-up
	@$(NODE) test/bench/run.ts
	@$(NODE) test/bench/run.ts --tools
	@$(NODE) test/bench/limits.ts
	@$(NODE) --disable-warning=ExperimentalWarning test/bench/receive.ts

bench-directory: node_modules/.installed peers ## the directory against slapd in the same run, as ratios
	@$(NODE) --disable-warning=ExperimentalWarning test/bench/directory.ts

bench-sync: node_modules/.installed peers ## EdgeSync from slapd: 100,000 recipients, ten changes, lookups at RCPT, memory
	@$(NODE) --disable-warning=ExperimentalWarning test/bench/sync.ts

bench-tls: node_modules/.installed peers ## handshakes and the relay with STARTTLS on both legs against Postfix
	@$(NODE) --disable-warning=ExperimentalWarning test/bench/tls.ts

bench-shell: node_modules/.installed ## how long a person waits for the shell's prompt, for a line, a check, a status
	@$(NODE) --disable-warning=ExperimentalWarning test/bench/shell.ts

lab-tls: node_modules/.installed peers ## testssl.sh and edge tls test on the same endpoints: facts compared, costs as ratios (an hour and more; goes on where it was cut)
	@$(NODE) --disable-warning=ExperimentalWarning test/compliance/lab-tls.ts

hostile: node_modules/.installed ## every attack on a started appliance (root; a short form of it is in make test)
	@EDGE_HOSTILE=all $(NODE) --disable-warning=ExperimentalWarning --test --test-concurrency=2 'test/hostile/**/*.test.ts'

soak: node_modules/.installed ## good and hostile traffic for an hour: flat memory, nothing lost (a short form of it is in make test)
	@EDGE_SOAK_MINUTES=$(or $(MINUTES),60) $(NODE) --disable-warning=ExperimentalWarning --test test/hostile/soak.test.ts

guesses: node_modules/.installed ## 100,000 passwords guessed from 1,000 sources (a short form of it is in make test)
	@EDGE_GUESSES=100000 EDGE_GUESS_SOURCES=1000 $(NODE) --disable-warning=ExperimentalWarning --test test/smtp-receive/guesses.test.ts

soak-crash: node_modules/.installed ## 1,000 kills of workers and of the whole appliance under load: nothing lost
	@EDGE_SOAK_KILLS=$(or $(KILLS),1000) $(NODE) --disable-warning=ExperimentalWarning --test test/e2e/crash.test.ts

fuzz: node_modules/.installed ## 200,000 hostile cases
	@EDGE_FUZZ_CASES=200000 $(NODE) --test 'test/**/*fuzz*.test.ts'

mutate: node_modules/.installed ## breaks a room in every small way, lists what no test notices: make mutate ROOM=smtp
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" ROOM=$(or $(ROOM),smtp) $(NODE) node_modules/@stryker-mutator/core/bin/stryker.js run .config/stryker.config.js

peers: ## the Debian packages that the tests talk to (root)
	@sh test/lib/install-peers.sh

clean: ## forgets what the tests and the demonstration left
	rm -rf .edge .bench node_modules/.cache
