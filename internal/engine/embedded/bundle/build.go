package bundle

import (
	"fmt"
	"strconv"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/workflow"
	"github.com/usefloww/flowwd/sdk"
)

// CodeName is the file name under which the script should be evaluated, so that
// MapStack tells its frames from others.
const CodeName = "bundle.js"

// entryName is what the compiler calls the line that imports the entrypoint.
const entryName = "<stdin>"

// Result is a source made into one script.
type Result struct {
	// Code is a classic script, not a module.
	Code []byte
	// SourceMap maps Code to the author's files and holds their contents.
	SourceMap []byte
	// SDKVersion is the version of the SDK that Code was built with.
	SDKVersion string
}

// Build makes a script of a source. The error is an *engine.CompileError.
func Build(source workflow.Source) (Result, error) {
	if err := source.Check(); err != nil {
		return Result{}, &engine.CompileError{Problems: []engine.Problem{{Text: err.Error()}}}
	}
	b := newBuild(newMemory(source.Files))
	entry, ok := b.resolver.entrypoint(source.Entrypoint)
	if !ok {
		return Result{}, &engine.CompileError{Problems: []engine.Problem{{Text: missingEntrypoint(source.Entrypoint)}}}
	}
	out := api.Build(b.options(entry))
	if problems := b.problems(out); len(problems) > 0 {
		return Result{}, &engine.CompileError{Problems: problems}
	}
	code, sourceMap := outputs(out)
	sourceMap, err := completeMap(sourceMap, b.files)
	if err != nil {
		return Result{}, &engine.CompileError{Problems: []engine.Problem{{Text: err.Error()}}}
	}
	return Result{Code: code, SourceMap: sourceMap, SDKVersion: sdk.Version}, nil
}

func missingEntrypoint(name string) string {
	return fmt.Sprintf("the entrypoint %q is not among the files; the field \"entrypoint\" of floww.yaml names the file to run", name)
}

// build is the state of one call.
type build struct {
	files    Files
	resolver *resolver
	// missing explains imports that were not resolved.
	missing *explanations
}

func newBuild(files Files) *build {
	return &build{files: files, resolver: newResolver(files), missing: newExplanations()}
}

// options are those of one build. Three of them keep the compiler from the
// disk: the entry comes as text, so no folder is searched for it; the working
// directory is given, so none is asked for; and sources' contents are left out
// of the map (completeMap adds them), because the compiler would read those of
// a file: URL that somebody put into a source map inside a source.
func (b *build) options(entry string) api.BuildOptions {
	return api.BuildOptions{
		Stdin:          &api.StdinOptions{Contents: "import " + strconv.Quote(entry), Loader: api.LoaderJS},
		AbsWorkingDir:  "/",
		Outfile:        "/" + CodeName,
		Sourcemap:      api.SourceMapExternal,
		SourcesContent: api.SourcesContentExclude,
		Plugins:        []api.Plugin{b.plugin(entry)},

		Bundle:        true,
		Format:        api.FormatIIFE,
		Platform:      api.PlatformNeutral,
		Target:        api.ES2023,
		TreeShaking:   api.TreeShakingTrue,
		Charset:       api.CharsetUTF8,
		LegalComments: api.LegalCommentsNone,
		LogLevel:      api.LogLevelSilent,
		// An import() that stays, because its failure is handled, must fail
		// like a missing module and not reach the engine's module loader.
		Supported: map[string]bool{"dynamic-import": false},
		// Packages ask for these two everywhere.
		Define: map[string]string{
			"process.env.NODE_ENV": `"production"`,
			"global":               "globalThis",
		},
	}
}

func outputs(out api.BuildResult) (code, sourceMap []byte) {
	for _, file := range out.OutputFiles {
		if file.Path == "/"+CodeName {
			code = file.Contents
		} else {
			sourceMap = file.Contents
		}
	}
	return code, sourceMap
}
