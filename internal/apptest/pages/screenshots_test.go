//go:build external && screenshots

package pages

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/usefloww/flowwd/internal/apptest"
)

// tallest is what pictures show of a page at most.
const tallest = 1500

// TestScreenshots makes the pictures in docs/screenshots, of a server with things
// to see: `make screenshots`.
func TestScreenshots(t *testing.T) {
	folder := *pictures
	if folder == "" {
		t.Fatal("say with -pictures where they are to be")
	}
	s := withRuns(t)
	p := newPerson(t)
	x := withThings(t, s)
	p.open(beginLogin(t, s, "laptop of Ada").Page)
	p.logsIn(apptest.AdminLogin, apptest.AdminPassword)
	p.sees("Log a command line in?")
	p.keeps(t, folder, "device")
	first := "/workflows/" + x.invoices.WorkflowID
	for _, page := range []struct{ name, path string }{
		{"workflows", "/workflows"}, {"folder", "/workflows?folder=" + x.folder}, {"folder-settings", "/folders/" + x.folder},
		{"folder-access", "/folders/" + x.folder + "/access?who=" + x.asked + "&action=workflow.run"},
		{"folder-deletion", "/folders/" + x.folder + "/delete"},
		{"workflow", first}, {"form", first + "/run"}, {"triggers", first + "/triggers"}, {"code", first + "/code?file=main.ts#L14"},
		{"deployments", first + "/deployments"}, {"deployment", "/deployments/" + x.invoices.DeploymentID},
		{"access", first + "/access?who=" + x.asked + "&action=workflow.deploy"},
		{"batches", first + "/batches?action=replay&state=failed"}, {"metrics", first + "/metrics"}, {"settings", first + "/settings"},
		{"run", "/executions/" + x.failed}, {"runs", "/executions"}, {"search", "/search?q=invoice"},
		{"secrets", "/secrets"}, {"providers", "/providers"}, {"tables", "/kv"},
		{"keys", "/kv/" + s.Namespace(t) + "/table?store=default&table=customers"},
		{"organization", "/organization"}, {"usage", "/organization/usage"}, {"account", "/account"},
		{"admin", "/admin"}, {"jobs", "/admin/jobs"}, {"data", "/admin/api/execution-history/list"}, {"row", "/admin/api/execution-history/details/" + x.failed},
		{"settings-in-force", "/admin/settings"}, {"users", "/admin/users"}, {"audit", "/admin/audit"},
	} {
		p.open(s.URL + page.path)
		p.keeps(t, folder, page.name)
	}
}

// keeps makes pictures of the page that is open: in light, in dark and on a phone.
func (p *person) keeps(t *testing.T, folder, name string) {
	t.Helper()
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"phone", "light", 390}} {
		p.do(chromedp.EmulateViewport(look.width, 800), inScheme(look.scheme))
		// As high as the page, for what is beside it to be so too.
		height := min(tallest, get(p, chromedp.Evaluate[int64](`document.documentElement.scrollHeight`)))
		p.do(chromedp.EmulateViewport(look.width, height))
		if over := get(p, chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`)); over > 0 {
			t.Errorf("%s, %s: the page is %d pixels wider than the screen", name, look.name, over)
		}
		picture, err := smaller(get(p, chromedp.CaptureScreenshot()))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name+"-"+look.name+".png"), picture, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// smaller has a picture of the 256 colours that are in it most, which is a third of
// the size and looks the same: pages have few colours.
func smaller(picture []byte) ([]byte, error) {
	whole, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	counts, bounds := map[color.Color]int{}, whole.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[whole.At(x, y)]++
		}
	}
	colours := color.Palette(slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return counts[b] - counts[a] }))
	colours = colours[:min(len(colours), 256)]
	nearest, few := map[color.Color]uint8{}, image.NewPaletted(bounds, colours)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := whole.At(x, y)
			if _, known := nearest[c]; !known {
				nearest[c] = uint8(colours.Index(c))
			}
			few.SetColorIndex(x, y, nearest[c])
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few)
	return out.Bytes(), err
}
