package dashboard

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Bounds of the code that one page shows: the files that it lists, and how much it
// shows of one, in bytes and lines.
const (
	listedFiles   = 300
	maxCodeShown  = 512 << 10
	maxCodeLines  = 5000
	entrypointTag = "runs first"
)

// sourceView is the code of a deployment.
type sourceView struct {
	pageHead
	// Deployment is the path of the one whose code it is; empty for none.
	Deployment string
	Active     bool
	Files      []sourceFile
	// Packages counts the files of packages, and More the others that are not
	// listed.
	Packages, More int
	File           string
	Lines          []ui.CodeLine
	// Cut says that there is more of the file.
	Cut bool
}

// sourceFile is a file in the list.
type sourceFile struct {
	ui.Link
	Tag  string
	Here bool
}

// getCode shows the code that runs now.
func (d Deps) getCode(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	v := sourceView{pageHead: headOf(c.Object, "/code"), Active: true}
	if active := c.Object.ActiveDeployment; active != nil {
		v.Deployment = deploymentPath(active.ID)
		source, err := d.Deployments.Source(r.Context(), active.ID)
		if err == nil {
			err = v.show(r.Context(), v.Here, source, r.URL.Query().Get("file"))
		}
		if err != nil {
			return err
		}
	}
	return ui.Show(w, r, http.StatusOK, d.workflowFrame("Code of ", c), codePage(v))
}

// getDeploymentCode shows the code of a deployment, which may be an older one.
func (d Deps) getDeploymentCode(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Deployment], of workflow.Workflow) error {
	v := sourceView{pageHead: headOf(of, "/code"), Deployment: deploymentPath(c.Object.ID), Active: c.Object.Status == workflow.StatusActive}
	source, err := d.Deployments.Source(r.Context(), c.Object.ID)
	if err == nil {
		err = v.show(r.Context(), v.Deployment+"/code", source, r.URL.Query().Get("file"))
	}
	if err != nil {
		return err
	}
	return ui.Show(w, r, http.StatusOK, d.deploymentFrame("Code of ", of, c.Principal), codePage(v))
}

// codeAddress leads to a file at the address of a page with code, and to a line
// of it unless that is 0.
func codeAddress(page, file string, line int) string {
	address := page + "?" + url.Values{"file": {file}}.Encode()
	if line > 0 {
		address += "#" + ui.LineAnchor(line)
	}
	return address
}

// show fills in one of the files, the entrypoint unless one is named.
func (v *sourceView) show(ctx context.Context, page string, source workflow.Source, named string) error {
	entry := entryOf(source)
	if v.File = named; named == "" {
		v.File = entry
	}
	text, known := source.Files[v.File]
	if !known {
		return fault.New(fault.NotFound, "There is no such file in this deployment")
	}
	for _, path := range slices.Sorted(maps.Keys(source.Files)) {
		here := path == v.File
		switch {
		case inPackage(path) && !here:
			v.Packages++
		case len(v.Files) >= listedFiles && !here:
			v.More++
		default:
			f := sourceFile{Link: ui.Link{Path: codeAddress(page, path, 0), Name: path}, Here: here}
			if path == entry {
				f.Tag = entrypointTag
			}
			v.Files = append(v.Files, f)
		}
	}
	if len(text) > maxCodeShown {
		text, v.Cut = cut(text, maxCodeShown), true
	}
	lines, err := ui.Highlight(ctx, v.File, text)
	if len(lines) > maxCodeLines {
		lines, v.Cut = lines[:maxCodeLines], true
	}
	v.Lines = lines
	return err
}

// entryOf is the file that an entrypoint names, whose ending may be left out; the
// first file when there is none.
func entryOf(source workflow.Source) string {
	entry := strings.TrimPrefix(source.Entrypoint, "./")
	for _, end := range []string{"", ".ts", ".tsx", ".js", ".mjs"} {
		if _, is := source.Files[entry+end]; is {
			return entry + end
		}
	}
	return slices.Min(slices.Collect(maps.Keys(source.Files)))
}
