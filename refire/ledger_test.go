package refire_test

import (
	"testing"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

func request(id byte, target string) refire.Request {
	return refire.Request{ID: accesslog.ID{id}, Method: "GET", Origin: refire.Origin{Scheme: "http", Host: "h", Port: 80}, Target: target}
}

func outcome(r refire.Request, status, round int, trouble string) *refire.Outcome {
	return &refire.Outcome{Request: r, Status: status, Error: trouble, Attempts: 1, Round: round}
}

func TestLedgerAdmitsOnce(t *testing.T) {
	l := refire.NewLedger(false)
	a, b := request(1, "/same"), request(2, "/same")
	l.Load(outcome(a, 500, 0, ""))
	if why := l.Admit(&a); why != refire.AlreadyDone {
		t.Errorf("loaded: %q", why)
	}
	if why := l.Admit(&b); why != "" {
		t.Errorf("new: %q", why)
	}
	if why := l.Admit(&b); why != refire.AlreadyDone {
		t.Errorf("met twice in this run: %q", why)
	}
}

func TestLedgerDedup(t *testing.T) {
	l := refire.NewLedger(true)
	loaded := request(1, "/loaded")
	l.Load(outcome(loaded, 200, 0, ""))
	other := request(4, "/loaded")
	other.Method = "HEAD"
	elsewhere := request(8, "/loaded")
	elsewhere.Origin.Host = "elsewhere"
	for _, c := range []struct {
		r    refire.Request
		want refire.Reason
	}{
		{loaded, refire.AlreadyDone},
		{request(2, "/loaded"), refire.Duplicate},
		{request(3, "/new"), ""},
		{request(5, "/new"), refire.Duplicate},
		{other, ""},
		{elsewhere, ""},
		{request(6, "/new?"), ""},
		{request(7, "/new?retry=True"), ""},
	} {
		if why := l.Admit(&c.r); why != c.want {
			t.Errorf("%s %s: %q, want %q", c.r.Method, c.r.Target, why, c.want)
		}
	}
}

// TestLedgerRounds plays a history of --again: each round fires what fails, a broken one is finished before the next begins.
func TestLedgerRounds(t *testing.T) {
	a, b, c := request(1, "/a"), request(2, "/b"), request(3, "/c")
	again := func(r refire.Request) *refire.Request { r.Again = true; return &r }
	history := []*refire.Outcome{outcome(a, 500, 0, ""), outcome(b, 0, 0, "timeout: x"), outcome(c, 200, 0, "")}
	load := func() *refire.Ledger {
		l := refire.NewLedger(false)
		for _, o := range history {
			l.Load(o)
		}
		return l
	}

	l := load()
	if n, _ := l.BeginAgain(); n != 2 || l.Round() != 1 {
		t.Fatalf("first round: %d entries, round %d", n, l.Round())
	}
	if why := l.Admit(again(c)); why == "" {
		t.Error("what recovered is fired again")
	}
	if why := l.Admit(again(a)); why != "" {
		t.Errorf("what fails is not fired again: %q", why)
	}
	if why := l.Admit(again(a)); why == "" {
		t.Error("fired again twice in one round")
	}
	history = append(history, outcome(a, 500, 1, "")) // killed here, before b

	l = load()
	if n, _ := l.BeginAgain(); n != 1 || l.Round() != 1 {
		t.Fatalf("broken round: %d entries, round %d", n, l.Round())
	}
	if why := l.Admit(again(a)); why == "" {
		t.Error("fired a third time in the round that is being finished")
	}
	if why := l.Admit(again(b)); why != "" {
		t.Errorf("not fired in the round that is being finished: %q", why)
	}
	history = append(history, outcome(b, 200, 1, ""))

	l = load()
	if n, _ := l.BeginAgain(); n != 1 || l.Round() != 2 {
		t.Fatalf("second round: %d entries, round %d", n, l.Round())
	}
	if tally := l.Tally(); tally.Recovered != 2 || tally.ByStatus[500] != 1 || tally.Unreachable() != 0 || tally.AllRecovered() {
		t.Errorf("the last outcome does not count: %+v", tally)
	}
}

// TestLedgerBarred: what this run may not fire again belongs to no round, so it keeps none from ending, and each entry counts once, by its last outcome.
func TestLedgerBarred(t *testing.T) {
	a, b, c := request(1, "/a"), request(2, "/b"), request(3, "/c")
	b.Method, c.Method = "POST", "POST"
	history := []*refire.Outcome{outcome(a, 500, 0, ""), outcome(b, 500, 0, ""), outcome(c, 500, 0, ""), outcome(b, 500, 1, ""), outcome(c, 200, 1, "")}
	for round := 2; round < 5; round++ {
		l := refire.NewLedger(false)
		l.MayNot = func(r *refire.Request) refire.Reason {
			if r.Method != "GET" {
				return refire.OtherMethod
			}
			return ""
		}
		for _, o := range history {
			l.Load(o)
		}
		if round == 2 {
			history = append(history, outcome(a, 500, 1, "")) // it lagged behind, and catches up
			if n, _ := l.BeginAgain(); n != 1 || l.Round() != 1 {
				t.Fatalf("%d entries, round %d", n, l.Round())
			}
			continue
		}
		if barred := l.Barred(); len(barred) != 1 || barred[refire.OtherMethod] != 1 {
			t.Errorf("barred: %v", barred)
		}
		if n, _ := l.BeginAgain(); n != 1 || l.Round() != round-1 {
			t.Fatalf("%d entries, round %d, want %d", n, l.Round(), round-1)
		}
		again := a
		again.Again = true
		if why := l.Admit(&again); why != "" {
			t.Errorf("round %d: what fails is not fired again: %q", round, why)
		}
		again = b
		again.Again = true
		if why := l.Admit(&again); why == "" {
			t.Errorf("round %d: what is barred is fired again", round)
		}
		history = append(history, outcome(a, 500, round-1, ""))
	}
}

// TestLedgerNewIsNotAgain: an entry that this run has met in a log is not fired a second time as one of the journal.
func TestLedgerNewIsNotAgain(t *testing.T) {
	l := refire.NewLedger(false)
	l.Load(outcome(request(1, "/a"), 500, 0, ""))
	l.BeginAgain()
	b := request(2, "/b")
	if why := l.Admit(&b); why != "" {
		t.Fatalf("new: %q", why)
	}
	if b.Again = true; l.Admit(&b) != refire.AlreadyDone {
		t.Error("fired twice at a time")
	}
}

// TestLedgerRoundsDoNotGoBack: the last round is the highest, wherever it stands.
func TestLedgerRoundsDoNotGoBack(t *testing.T) {
	l := refire.NewLedger(false)
	l.Load(outcome(request(1, "/a"), 500, 2, ""))
	l.Load(outcome(request(2, "/b"), 200, 0, ""))
	if n, _ := l.BeginAgain(); n != 1 || l.Round() != 3 {
		t.Errorf("%d entries in round %d", n, l.Round())
	}
}

// TestLedgerBarredForOneReason: what this run's options bar is not told as what may have been done.
func TestLedgerBarredForOneReason(t *testing.T) {
	l := refire.NewLedger(false)
	l.MayNot, l.Once = func(*refire.Request) refire.Reason { return refire.OtherMethod }, all
	l.Load(outcome(request(1, "/"), 0, 0, "timeout: x"))
	if barred := l.Barred(); len(barred) != 1 || barred[refire.OtherMethod] != 1 {
		t.Errorf("%v", barred)
	}
}

// TestLedgerEndedRound: what a round that has ended left out is fired by the next one together with what that round had fired; of one that was broken off it comes
// first, and what waits is counted.
func TestLedgerEndedRound(t *testing.T) {
	a, b, c := request(1, "/a"), request(2, "/b"), request(3, "/c")
	for _, test := range []struct{ ended, fires, wait, round int }{{0, 1, 2, 1}, {1, 3, 0, 2}, {2, 1, 2, 1}} {
		l := refire.NewLedger(false)
		l.Ended = test.ended
		for _, o := range []*refire.Outcome{outcome(a, 500, 0, ""), outcome(b, 500, 0, ""), outcome(c, 500, 0, ""), outcome(a, 500, 1, ""), outcome(c, 0, 1, "reset: x")} {
			l.Load(o)
		}
		fires, wait := l.BeginAgain()
		if fires != test.fires || wait != test.wait || l.Round() != test.round {
			t.Errorf("ended %d: fires %d, %d wait, round %d", test.ended, fires, wait, l.Round())
		}
		for _, r := range []refire.Request{a, b, c} {
			if r.Again = true; l.Admit(&r) == "" {
				fires--
			}
		}
		if fires != 0 {
			t.Errorf("ended %d: %d more are told than admitted", test.ended, fires)
		}
	}
}

// TestLedgerLastRound: no round is written that could not be read back.
func TestLedgerLastRound(t *testing.T) {
	l := refire.NewLedger(false)
	l.Load(outcome(request(1, "/"), 500, refire.MaxRound, ""))
	if n, _ := l.BeginAgain(); n != 0 || l.Round() > refire.MaxRound {
		t.Errorf("%d entries in round %d", n, l.Round())
	}
}

func TestTally(t *testing.T) {
	for _, c := range []struct {
		status    int
		trouble   string
		recovered bool
		fails     bool
	}{
		{200, "", true, false},
		{204, "", true, false},
		{302, "", true, false},
		{399, "", true, false},
		{400, "", false, true},
		{404, "", false, true},
		{500, "", false, true},
		{101, "", false, true},
		{503, "cut: x", false, true},
		{200, "cut: x", false, false},
		{0, "refused: x", false, false},
		{0, "something of a later version: x", false, false},
	} {
		l := refire.NewLedger(false)
		l.Load(outcome(request(1, "/"), c.status, 0, c.trouble))
		tally := l.Tally()
		if got := tally.Recovered == 1; got != c.recovered {
			t.Errorf("%d %q: recovered %v", c.status, c.trouble, got)
		}
		if got := tally.Failing() == 1; got != c.fails {
			t.Errorf("%d %q: still fails %v", c.status, c.trouble, got)
		}
		if tally.Settled() != 1 || tally.AllRecovered() != c.recovered {
			t.Errorf("%d %q: %+v", c.status, c.trouble, tally)
		}
	}
}
