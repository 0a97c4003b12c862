//go:build external

package pages

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/usefloww/flowwd/internal/apptest"
)

var pictures = flag.String("pictures", "", "folder for pictures of the pages")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(apptest.Main(m))
}

// person is somebody in front of Chromium.
type person struct {
	t   *testing.T
	ctx context.Context
}

// patience bounds one step of a person.
const patience = 30 * time.Second

// newPerson starts Chromium. What it complains of, such as a script that the
// policy refuses, fails the test; answers that are refusals are none of that.
func newPerson(t *testing.T) *person {
	t.Helper()
	// Root has no sandbox around it; the pages are this server's own.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, leave := chromedp.NewContext(ctx)
	t.Cleanup(leave)
	p := &person{t, ctx}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800)); err != nil {
		t.Fatalf("start Chromium: %v", err)
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
	get(p, chromedp.Steps(steps...))
}

func (p *person) open(address string) {
	p.t.Helper()
	p.do(chromedp.Navigate(address))
}

// keys types texts and presses keys, where the cursor is.
func (p *person) keys(texts ...string) {
	p.t.Helper()
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

// The first account, the account page, out and in again: all by keyboard but
// for the buttons.
func TestPasswordPages(t *testing.T) {
	t.Parallel()
	var serverLog apptest.Log
	s := apptest.Start(t, apptest.Options{Log: &serverLog})
	link := serverLog.SetUpPath(t)
	p := newPerson(t)

	p.open(s.URL + "/account")
	p.sees("Welcome to Floww")
	p.pictured("welcome")

	p.open(s.URL + link)
	p.sees("Make the first account")
	p.keys(apptest.AdminLogin, kb.Tab, "Ada", kb.Tab, "<b>Lovelace</b>", kb.Tab, "long enough", kb.Tab, "something else", kb.Enter)
	p.told("alert")
	if text := p.text(); !strings.Contains(text, "Passwords do not match") {
		t.Errorf("the page says %q", text)
	}
	p.pictured("first-account")
	p.keys(kb.Tab, kb.Tab, kb.Tab, apptest.AdminPassword, kb.Tab, apptest.AdminPassword, kb.Enter)

	p.sees("Your account")
	for _, want := range []string{"Ada <b>Lovelace</b>", apptest.AdminLogin, "this browser"} {
		if text := p.text(); !strings.Contains(text, want) {
			t.Errorf("the account page has no %q: %s", want, text)
		}
	}
	other := apptest.NewBrowser(t, s.URL)
	other.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	p.open(s.URL + "/account")
	p.pictured("account")
	p.click("Sign out everywhere but here")
	p.told("status")
	if r := other.Get(t, "/api/whoami"); r.Status != 401 {
		t.Errorf("the other browser is still logged in: %s", r)
	}

	p.click("Sign out")
	p.sees("Log in")
	p.open(s.URL + "/account?a=b") // leads to the login, which leads back
	p.sees("Log in")
	p.keys(apptest.AdminLogin, kb.Tab, "wrong", kb.Enter)
	p.told("alert")
	p.pictured("log-in")
	p.keys(apptest.AdminLogin, kb.Tab, apptest.AdminPassword, kb.Enter)
	p.sees("Your account")
	if at := get(p, chromedp.Location()); at != s.URL+"/account?a=b" {
		t.Errorf("logged in, and led to %s", at)
	}

	invited := apptest.NewBrowser(t, s.URL)
	invited.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	choose := invited.JSON(t, 201, "POST", "/api/users", map[string]string{"email": "bob@example.com"})["link"].(string)
	p.open(choose)
	p.sees("Choose a password")
	p.pictured("choose")

	p.do(chromedp.Focus(chromedp.ID("password")))
	p.keys("password of bob", kb.Tab, "password of bob", kb.Enter)
	p.sees("Your account")

	p.open(s.URL + "/auth/setup?token=x")
	p.sees("You may not do this")
	p.pictured("refused")
}
