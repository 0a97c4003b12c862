package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/usefloww/flowwd/internal/client"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/engine/docker/relay"
	"github.com/usefloww/flowwd/internal/engine/embedded"
)

// commands are all commands of flowwd.
type commands struct {
	Serve      serveCommand      `cmd:"" help:"Serve the API and run workflows."`
	Apikey     apikeyCommand     `cmd:"" help:"Make, list and revoke API keys."`
	Deploy     deployCommand     `cmd:"" help:"Deploy a project folder."`
	Logs       logsCommand       `cmd:"" help:"Show the runs of a workflow with their lines."`
	Secret     secretCommand     `cmd:"" help:"List, store and delete secrets, which only code is given."`
	Login      loginCommand      `cmd:"" help:"Log in to a server, so that deploy and logs need no API key."`
	Logout     logoutCommand     `cmd:"" help:"End the login to a server."`
	Audit      auditCommand      `cmd:"" help:"Export the audit log, and verify it."`
	Centrifugo centrifugoCommand `cmd:"" help:"Have a Centrifugo server take the place of the realtime node inside."`
	Doctor     doctorCommand     `cmd:"" help:"Say what is wrong with this installation; silent when nothing is."`
	Backup     backupCommand     `cmd:"" help:"Write the database and the keys into a file, also beside a running server."`
	Restore    restoreCommand    `cmd:"" help:"Make a new installation of a backup."`
	Migrate    migrateCommand    `cmd:"" help:"Copy the database into another one, of the same kind or the other."`
	Version    versionCommand    `cmd:"" help:"Print the version of this binary."`
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// terminal is what a command prints on.
type terminal struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// userDir is where programs keep what is one user's; empty for nowhere.
	userDir string
	// sources say where the settings of the command come from.
	sources config.Sources
	// docker is how docker is run.
	docker client.Docker
}

func main() {
	// A process that runs user code is this program too, and must touch nothing
	// else of it.
	if len(os.Args) > 1 && os.Args[1] == embedded.ChildWord {
		os.Exit(embedded.RunChild(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == relay.Word {
		os.Exit(relay.Run(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	ctx, stop := untilSignal(context.Background())
	code := run(ctx, os.Args[1:], os.Environ(), &terminal{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr})
	stop()
	os.Exit(code)
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. A
// second SIGINT ends the process at once, for somebody who does not want to
// wait.
func untilSignal(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		for s := range signals {
			if s == os.Interrupt {
				os.Exit(exitFailed)
			}
		}
	}()
	return ctx, cancel
}

// run runs one command line and returns its exit code.
func run(ctx context.Context, args, environ []string, t *terminal) int {
	env := config.NewEnviron(environ)
	t.userDir, t.docker = env.UserDir(), client.Docker{Env: environ, Settings: env.DockerDir()}
	parser, err := kong.New(&commands{},
		kong.Name("flowwd"),
		kong.Description("A workflow backend in one file."),
		kong.Writers(t.stdout, t.stderr),
		kong.Resolvers(env),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(t),
	)
	if err != nil {
		return t.fail(exitFailed, err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return t.fail(exitUsage, fmt.Errorf("%w; see 'flowwd --help'", err))
	}
	if err := checkSettings(parser, parsed, env); err != nil {
		return t.fail(exitUsage, err)
	}
	t.sources = env.Sources(parsed)
	if err := parsed.Run(); err != nil {
		if errors.Is(err, errReported) {
			return exitFailed
		}
		return t.fail(exitFailed, err)
	}
	return exitOK
}

// errReported says that a command has printed already why it failed.
var errReported = errors.New("reported")

// checkSettings refuses variables that are no settings, and values that are
// wrong, all of them at once.
func checkSettings(parser *kong.Kong, parsed *kong.Context, env *config.Environ) error {
	if len(config.Flags(parsed.Selected())) == 0 {
		return nil // the command reads no settings
	}
	if err := errors.Join(env.CheckNames(parser.Model), env.Err()); err != nil {
		return err
	}
	problems, err := config.CheckBounds(parsed.Flags())
	if err != nil {
		return err
	}
	if checked, ok := parsed.Selected().Target.Addr().Interface().(interface{ Check() []config.Problem }); ok {
		problems = append(problems, checked.Check()...)
	}
	if len(problems) > 0 {
		return config.Problems(problems)
	}
	return nil
}

// fail prints an error, each of its lines marked as flowwd's, and returns code.
func (t *terminal) fail(code int, err error) int {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(t.stderr, "flowwd: %s\n", strings.TrimRight(line, "\n"))
	}
	return code
}
