//go:build external

package pages

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/engine/dummy"
)

var pictures = flag.String("pictures", "", "folder for pictures of the pages")

func TestMain(m *testing.M) {
	flag.Parse()
	code := apptest.Main(m)
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

// person is somebody in front of Chromium.
type person struct {
	t   *testing.T
	ctx context.Context
}

// patience bounds one step of a person.
const patience = 30 * time.Second

// chromium is one for all tests of the package: each person has a context of
// its own in it, with cookies of its own.
var chromium struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func startChromium() {
	// Root has no sandbox around it; the pages are this server's own.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(ctx)
	chromium.ctx, chromium.stop = ctx, func() { leave(); stop() }
	chromium.err = chromedp.Do(ctx)
}

// newPerson opens a window. What Chromium complains of, such as a script that the
// policy refuses, fails the test; answers that are refusals are none of that.
func newPerson(t *testing.T) *person {
	t.Helper()
	chromium.once.Do(startChromium)
	if chromium.err != nil {
		t.Fatalf("start Chromium: %v", chromium.err)
	}
	ctx, leave := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(leave)
	p := &person{t, ctx}
	// What is run first is what the window lives as long as.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800)); err != nil {
		t.Fatalf("open a window: %v", err)
	}
	err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok && e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			t.Errorf("Chromium complains: %s (%s)", e.Entry.Text, e.Entry.URL)
		}
	})
	if err != nil {
		t.Fatalf("listen to Chromium: %v", err)
	}
	return p
}

// get runs a step that has a result.
func get[T any](p *person, step chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, step)
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

func (p *person) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	for i, step := range steps {
		steps[i] = again(step)
	}
	get(p, chromedp.Steps(steps...))
}

// again does a step once more when the page made way for another one between
// finding an element and looking at it; nothing was done to it then.
func again(step chromedp.Action[chromedp.Void]) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		for {
			done, err := step(ctx, t)
			if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "Could not find node with given id") {
				return done, err
			}
		}
	}
}

func (p *person) open(address string) {
	p.t.Helper()
	p.do(chromedp.Navigate(address))
}

// keys types texts and presses keys, where the cursor is.
func (p *person) keys(texts ...string) {
	p.t.Helper()
	p.do(chromedp.WaitReady(chromedp.CSS("input:focus"))) // a page is drawn before its cursor stands
	for _, text := range texts {
		p.do(chromedp.KeyEvent(text))
	}
}

// sees waits for a heading.
func (p *person) sees(heading string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.Search(`//h1[.="` + heading + `"]`)))
}

// told waits for a message.
func (p *person) told(role string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(`[role="` + role + `"]`)))
}

func (p *person) text() string {
	p.t.Helper()
	return get(p, chromedp.Text(chromedp.CSS("main")))
}

func (p *person) click(button string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.Search(`//button[normalize-space(.)="` + button + `"]`)))
}

// inScheme has Chromium prefer light or dark.
func inScheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})
}

// pictured looks at a page in light, in dark and on a phone, where nothing may
// stand out at the side.
func (p *person) pictured(name string) {
	p.t.Helper()
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"phone", "light", 360}} {
		p.do(chromedp.EmulateViewport(look.width, 800), inScheme(look.scheme))
		if over := get(p, chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`)); over > 0 {
			p.t.Errorf("%s, %s: the page is %d pixels wider than the screen", name, look.name, over)
		}
		if look.name != "phone" {
			p.isAccessible(name + ", " + look.name)
		}
		if *pictures == "" {
			continue
		}
		picture := get(p, chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(*pictures, name+"-"+look.name+".png"), picture, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	p.do(chromedp.EmulateViewport(1280, 800))
}

// start starts a server that runs nothing.
func start(t *testing.T, o apptest.Options) *apptest.Server {
	t.Helper()
	o.Engine = dummy.New(1, time.Now)
	return apptest.Start(t, o)
}

// withAda starts a server with the first account, which administers it.
func withAda(t *testing.T) *apptest.Server {
	t.Helper()
	return start(t, apptest.Options{Settings: func(s *config.Settings) {
		s.AdminEmail, s.AdminPassword = apptest.AdminLogin, apptest.AdminPassword
	}})
}

// logsIn types into the login form, which must be open.
func (p *person) logsIn(login, password string) {
	p.t.Helper()
	p.sees("Log in")
	p.do(chromedp.Focus(chromedp.ID("username")))
	p.keys(login, kb.Tab, password, kb.Enter)
}

// wants fails the test where the page lacks a text.
func (p *person) wants(texts ...string) {
	p.t.Helper()
	shown := p.text()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			p.t.Errorf("the page has no %q: %s", text, shown)
		}
	}
}

// isAt fails the test where the window shows another address.
func (p *person) isAt(address string) {
	p.t.Helper()
	if at := get(p, chromedp.Location()); at != address {
		p.t.Errorf("led to %s, want %s", at, address)
	}
}

// follow goes by a link.
func (p *person) follow(link string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.Search(`//main//a[normalize-space(.)="`+link+`"]`)),
		chromedp.WaitVisible(chromedp.Search(`//main//a[@aria-current="page"][.="`+link+`"]`)))
}
