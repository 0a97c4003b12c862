//go:build external

package ui

import (
	"bytes"
	"os"
	"testing"
)

// What browsers run is what the authors of the client published.
func TestCentrifugeIsThePublishedOne(t *testing.T) {
	t.Parallel()
	ours, err := files.ReadFile("assets/" + Centrifuge)
	if err != nil {
		t.Fatal(err)
	}
	published, err := os.ReadFile("../../../.tools/node_modules/centrifuge/dist/centrifuge.js")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, published) {
		t.Error("assets/centrifuge.js is not the one of the npm package centrifuge that tools/npm/package-lock.json pins: copy dist/centrifuge.js, and correct NOTICE")
	}
}
