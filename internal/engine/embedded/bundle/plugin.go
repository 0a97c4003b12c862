package bundle

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/usefloww/flowwd/sdk"
)

// The namespaces of paths. None of them is "file", the compiler's own, whose
// paths it would read from disk.
const (
	userSpace = "user"
	sdkSpace  = "floww"
	nodeSpace = "node"
	ownSpace  = "package"
)

// anyPath is the filter of the callbacks: all paths come to them.
const anyPath = ".*"

// sdkName is what workflow code imports the SDK as.
const sdkName = "floww"

func (b *build) plugin(entry string) api.Plugin {
	return api.Plugin{Name: "flowwd", Setup: func(p api.PluginBuild) {
		p.OnResolve(api.OnResolveOptions{Filter: anyPath}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			return b.onResolve(entry, args), nil
		})
		p.OnLoad(api.OnLoadOptions{Filter: anyPath, Namespace: userSpace}, b.loadUserFile)
		p.OnLoad(api.OnLoadOptions{Filter: anyPath, Namespace: sdkSpace}, loadSDKFile)
		p.OnLoad(api.OnLoadOptions{Filter: anyPath, Namespace: nodeSpace}, loadNodeModule)
		p.OnLoad(api.OnLoadOptions{Filter: anyPath, Namespace: ownSpace}, loadPackage)
		p.OnLoad(api.OnLoadOptions{Filter: anyPath}, refuseFile)
	}}
}

func (b *build) onResolve(entry string, args api.OnResolveArgs) api.OnResolveResult {
	switch args.Namespace {
	case "":
		return api.OnResolveResult{Path: entry, Namespace: userSpace}
	case sdkSpace:
		return api.OnResolveResult{Path: path.Join(path.Dir(args.Importer), args.Path) + ".ts", Namespace: sdkSpace}
	}
	if args.Namespace != userSpace || isURL(args.Path) {
		return api.OnResolveResult{Errors: []api.Message{{
			Text: fmt.Sprintf("%.200q is imported by its URL; import files of the project and packages by name", args.Path),
		}}}
	}
	if args.Path == sdkName {
		return api.OnResolveResult{Path: sdk.Entry, Namespace: sdkSpace, SideEffects: api.SideEffectsFalse}
	}
	if strings.HasPrefix(args.Path, sdkName+"/") {
		return api.OnResolveResult{Errors: []api.Message{{
			Text: fmt.Sprintf("%.200q is a part of the module \"floww\"; import what you need from \"floww\" itself", args.Path),
		}}}
	}
	if module, ok := provided(args.Path); ok && !b.resolver.replaced(args.Importer, args.Path) {
		return api.OnResolveResult{Path: module, Namespace: nodeSpace}
	}
	found, why := b.resolver.resolve(args.Importer, args.Path, mode(args.Kind))
	if why != "" && args.Path == zodName {
		return api.OnResolveResult{Path: zodName, Namespace: ownSpace, SideEffects: api.SideEffectsFalse}
	}
	if why != "" {
		// Without a path the compiler fails the import itself, except where
		// the code handles the failure: try { require("fs") } catch {}.
		b.missing.add(args.Importer, args.Path, why)
		return api.OnResolveResult{}
	}
	if found == emptyModule {
		return api.OnResolveResult{Path: emptyModule, Namespace: nodeSpace}
	}
	result := api.OnResolveResult{Path: found, Namespace: userSpace}
	if b.resolver.sideEffectFree(found) {
		result.SideEffects = api.SideEffectsFalse
	}
	return result
}

// isURL reports whether the compiler would leave an import alone, or read it
// inline, because it is a URL.
func isURL(specifier string) bool {
	for _, prefix := range []string{"http://", "https://", "//", "data:"} {
		if strings.HasPrefix(specifier, prefix) {
			return true
		}
	}
	return false
}

func mode(kind api.ResolveKind) importMode {
	if kind == api.ResolveJSRequireCall || kind == api.ResolveJSRequireResolve {
		return byRequire
	}
	return byImport
}

func (b *build) loadUserFile(args api.OnLoadArgs) (api.OnLoadResult, error) {
	text, ok := b.files.Read(args.Path)
	if !ok {
		return api.OnLoadResult{}, fmt.Errorf("%s is gone", args.Path)
	}
	loader, why := loaderOf(args.Path, args.With)
	if why != "" {
		return api.OnLoadResult{Errors: []api.Message{{Text: why}}}, nil
	}
	return loaded(text, loader), nil
}

func loadSDKFile(args api.OnLoadArgs) (api.OnLoadResult, error) {
	text, ok := sdk.Source(args.Path)
	if !ok {
		return api.OnLoadResult{}, fmt.Errorf("the SDK has no file %s", args.Path)
	}
	return loaded(text, api.LoaderTS), nil
}

// loadNodeModule gives one of Node's modules, which the realm has, or nothing in
// the place of a file that a package does without here.
func loadNodeModule(args api.OnLoadArgs) (api.OnLoadResult, error) {
	if args.Path == emptyModule {
		return loaded("module.exports = {};", api.LoaderJS), nil
	}
	return loaded("module.exports = __floww.module("+strconv.Quote(args.Path)+");", api.LoaderJS), nil
}

// refuseFile stops the compiler from reading a file that was not resolved
// here: import(`./pages/${name}`) makes it search folders on disk.
func refuseFile(api.OnLoadArgs) (api.OnLoadResult, error) {
	return api.OnLoadResult{Errors: []api.Message{{Text: computedImport}}}, nil
}

const computedImport = "the path of an import cannot be computed while the code runs; import each file by its name"

// endSourceMaps goes after the last line of a script. The compiler follows the
// last source map comment of a file, also to file: URLs; this one leads
// nowhere.
const endSourceMaps = "\n//# sourceMappingURL=none:"

func loaded(text string, loader api.Loader) api.OnLoadResult {
	switch loader {
	case api.LoaderJS, api.LoaderJSX, api.LoaderTS, api.LoaderTSX:
		text += endSourceMaps
	}
	return api.OnLoadResult{Contents: &text, Loader: loader}
}

// loaderOf says how a file becomes a module, by the import's attribute or by
// the end of its name.
func loaderOf(name string, with map[string]string) (loader api.Loader, why string) {
	if kind, ok := with["type"]; ok {
		switch kind {
		case "json":
			return api.LoaderJSON, ""
		case "text":
			return api.LoaderText, ""
		}
		return 0, fmt.Sprintf("the import attribute type %q is not supported; \"json\" and \"text\" are", kind)
	}
	switch path.Ext(name) {
	case ".ts", ".mts", ".cts":
		return api.LoaderTS, ""
	case ".tsx":
		return api.LoaderTSX, ""
	case ".js", ".mjs", ".cjs":
		return api.LoaderJS, ""
	case ".jsx":
		return api.LoaderJSX, ""
	case ".json":
		return api.LoaderJSON, ""
	case ".txt", ".md", ".html", ".css", ".csv", ".xml", ".svg", ".sql", ".graphql", ".yaml", ".yml":
		return api.LoaderText, ""
	default:
		return 0, fmt.Sprintf("%s is neither a script nor JSON nor a known kind of text; import it as text with { type: \"text\" }", name)
	}
}
