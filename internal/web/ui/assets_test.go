//go:build external

package ui

import (
	"bytes"
	"os"
	"testing"
)

// What browsers run is what the authors of the libraries published.
func TestLibrariesAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	for name, built := range map[string]string{
		Centrifuge: "centrifuge/dist/centrifuge.js", HTMX: "htmx.org/dist/htmx.min.js", Plot: "uplot/dist/uPlot.iife.min.js", PlotStyle: "uplot/dist/uPlot.min.css",
	} {
		ours, err := files.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		published, err := os.ReadFile("../../../.tools/node_modules/" + built)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours, published) {
			t.Errorf("assets/%s is not the one of the npm package that tools/npm/package-lock.json pins: copy %s, and correct NOTICE", name, built)
		}
	}
}
