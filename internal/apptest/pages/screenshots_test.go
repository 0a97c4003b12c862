//go:build external && screenshots

package pages

import (
	"bytes"
	"fmt"
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

// TestScreenshots makes the pictures in docs/screenshots, of a server with things
// to see: `make screenshots`.
func TestScreenshots(t *testing.T) {
	folder := *pictures
	if folder == "" {
		t.Fatal("say with -pictures where they are to be")
	}
	s := withRuns(t)
	p := newPerson(t)
	first, failed := withThings(t, s)
	p.open(s.URL + "/workflows")
	p.logsIn(apptest.AdminLogin, apptest.AdminPassword)
	p.sees("Workflows")
	for name, path := range map[string]string{
		"workflows": "/workflows", "workflow": "/workflows/" + first.WorkflowID, "run": "/executions/" + failed, "runs": "/executions",
		"search": "/search?q=invoice", "secrets": "/secrets", "keys": "/kv/" + s.Namespace(t) + "/table?store=default&table=customers",
		"organization": "/organization", "usage": "/organization/usage", "admin": "/admin", "audit": "/admin/audit",
	} {
		p.open(s.URL + path)
		for _, look := range []struct {
			name, scheme string
			width        int64
		}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"phone", "light", 390}} {
			p.do(chromedp.EmulateViewport(look.width, 800), inScheme(look.scheme))
			picture, err := smaller(get(p, chromedp.FullScreenshot(100)))
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, name+"-"+look.name+".png"), picture, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
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

// withThings fills a server: workflows that ran, one of which failed, folders,
// values and secrets.
func withThings(t *testing.T, s *apptest.Server) (first *apptest.Deployed, failed string) {
	t.Helper()
	ada := apptest.NewBrowser(t, s.URL)
	ada.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	own := []string{"Origin", s.URL, "Sec-Fetch-Site", "same-origin"}
	for _, name := range []string{"Billing", "Marketing"} {
		ada.JSON(t, 200, "POST", "/api/folders", map[string]string{"name": name, "namespace_id": s.Namespace(t)}, own...)
	}
	for i, name := range []string{"Ann", "Bob", "Carla"} {
		ada.JSON(t, 200, "PUT", fmt.Sprintf("/api/kv/default/customers/c%d", i), map[string]any{"value": map[string]any{"name": name, "orders": i + 3}}, own...)
	}
	ada.JSON(t, 201, "POST", "/api/secrets", map[string]string{"namespaceId": s.Namespace(t), "provider": "stripe", "name": "default", "value": "a secret"}, own...)
	for _, name := range []string{"newsletter", "uptime of the shop", "sync customers"} {
		d := s.Deploy(t, name, apptest.Handler(`console.log("nothing new"); return {changed: 0}`))
		for range 3 {
			d.Run(t, `{}`)
		}
	}
	first = s.Deploy(t, "send invoices", apptest.Handler(`
		console.log("invoice", event.body.number, "for", event.body.customer);
		console.log("rendered in 12 ms");
		if (event.body.total < 0) throw new Error("the total of an invoice can't be negative: " + event.body.total);
		return { sent: true };
	`))
	for i, customer := range []string{"Ann", "Bob", "Carla"} {
		first.Run(t, fmt.Sprintf(`{"number": %d, "customer": %q, "total": 12}`, 1001+i, customer))
	}
	return first, first.Run(t, `{"number": 1004, "customer": "Dora", "total": -5}`).ID
}
