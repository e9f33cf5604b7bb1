package browser_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Variables of the environment.
const (
	needAll = "AIO_NEED_SERVERS" // 1: a browser or axe-core that is missing fails the tests
	axeFile = "REFIRE_AXE"       // axe.min.js of the npm package axe-core
	keepIn  = "REFIRE_PICTURES"  // a folder for pictures of the page, to look at
)

func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv(needAll) == "1" {
		t.Fatalf("%s, and %s is 1", what, needAll)
	}
	t.Skip(what)
}

func needAxe(t *testing.T) (source string) {
	t.Helper()
	text, err := os.ReadFile(os.Getenv(axeFile))
	if err != nil {
		lacks(t, "there is no axe-core: npm install axe-core, and set "+axeFile+" to its axe.min.js")
	}
	return string(text)
}

// browser is a Chromium with the page open.
type browser struct {
	ctx context.Context

	mu    sync.Mutex
	asked []string // guarded by mu: what was asked of others
}

type look struct {
	name, scheme string
	width        int
}

// open opens a page in a Chromium of its own.
func open(t *testing.T, name string) *browser {
	t.Helper()
	var program string
	for _, known := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(known); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		lacks(t, "there is no chromium: install it, Debian's package is chromium")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, leave := chromedp.NewContext(ctx)
	t.Cleanup(leave)
	b := &browser{ctx: ctx}
	if err := chromedp.Listen(ctx, b.heard); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+name)); err != nil {
		t.Fatal(err)
	}
	return b
}

// heard keeps what the page asks for, and dialogs.
func (b *browser) heard(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file:") {
			b.asked = append(b.asked, e.Request.URL)
		}
	case *page.EventJavascriptDialogOpening:
		b.asked = append(b.asked, "a dialog: "+e.Message)
	}
}

// quiet checks that nobody was asked for anything.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.asked) > 0 {
		t.Errorf("the page asked for %q", b.asked)
	}
}

func (b *browser) see(t *testing.T, l look) {
	t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(int64(l.width), 844)); err != nil {
		t.Fatal(err)
	}
	b.media(t, "screen", l.scheme)
}

func (b *browser) media(t *testing.T, media, scheme string) {
	t.Helper()
	do(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

func (b *browser) print(t *testing.T) (pdf []byte) {
	t.Helper()
	err := chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		result, err := cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{PrintBackground: new(true), PaperWidth: 8.27, PaperHeight: 11.69})
		pdf = result.Data
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

func do[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) {
	t.Helper()
	err := chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// keep takes a picture of all of the page, where somebody wants to look at it.
func (b *browser) keep(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv(keepIn)
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
