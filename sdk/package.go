package sdk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/evanw/esbuild/pkg/api"
)

// Package returns the module as npm installs it: a .tgz with scripts for Node
// and the types that the folder types holds. Equal sources give equal bytes.
func Package() ([]byte, error) {
	contents := map[string][]byte{}
	for _, name := range []string{"index", "testing"} {
		script, err := script("src/" + name + ".ts")
		if err != nil {
			return nil, fmt.Errorf("build the module floww: %w", err)
		}
		contents["dist/"+name+".js"] = script
	}
	plain, err := fs.Glob(files, "types/*.d.ts")
	if err != nil {
		return nil, err
	}
	for _, name := range append(plain, "package.json") {
		if contents[name], err = fs.ReadFile(files, name); err != nil {
			return nil, err
		}
	}
	return archive(contents)
}

// script bundles a file of the module with those that it imports.
func script(entry string) ([]byte, error) {
	const own = "sdk"
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{entry}, Bundle: true, Format: api.FormatESModule, Platform: api.PlatformNeutral, Target: api.ES2022,
		LogLevel: api.LogLevelSilent,
		Plugins: []api.Plugin{{Name: "sdk", Setup: func(b api.PluginBuild) {
			b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
				if args.Namespace == own {
					return api.OnResolveResult{Path: path.Join(path.Dir(args.Importer), args.Path) + ".ts", Namespace: own}, nil
				}
				return api.OnResolveResult{Path: path.Clean(args.Path), Namespace: own}, nil
			})
			b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: own}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
				text, err := fs.ReadFile(files, args.Path)
				contents := string(text)
				return api.OnLoadResult{Contents: &contents, Loader: api.LoaderTS}, err
			})
		}}},
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(result.Errors[0].Text)
	}
	return result.OutputFiles[0].Contents, nil
}

// archive puts files into a package as npm wants it.
func archive(contents map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	files := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		if err := files.WriteHeader(&tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(contents[name]))}); err != nil {
			return nil, err
		}
		if _, err := files.Write(contents[name]); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(files.Close(), zipped.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
