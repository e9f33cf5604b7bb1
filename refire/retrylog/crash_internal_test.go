package retrylog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// fallibleDisk is a file that tells what is on the disk from what is in the machine's memory. After a crash it takes nothing, and has what synced says, and
// perhaps some of the rest.
type fallibleDisk struct {
	mu      sync.Mutex
	data    []byte // guarded by mu
	synced  int    // guarded by mu: so much of data outlasts a crash
	crashed bool   // guarded by mu
	syncs   int    // guarded by mu
}

var errCrashed = errors.New("the machine has crashed")

func (d *fallibleDisk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed {
		return 0, errCrashed
	}
	d.data = append(d.data, p...)
	return len(p), nil
}

func (d *fallibleDisk) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed {
		return errCrashed
	}
	d.syncs++
	d.synced = len(d.data)
	return nil
}

func (d *fallibleDisk) Truncate(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed {
		return errCrashed
	}
	d.data = d.data[:size]
	d.synced = min(d.synced, len(d.data))
	return nil
}

func (d *fallibleDisk) ReadAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := copy(p, d.data[min(int(off), len(d.data)):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (d *fallibleDisk) Close() error { return nil }

func (d *fallibleDisk) size() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(d.data))
}

// crash ends the disk, and returns the one that the machine finds when it is up again: what was synced, some of the rest, and perhaps zeros for what follows.
func (d *fallibleDisk) crash() { d.mu.Lock(); d.crashed = true; d.mu.Unlock() }

func (d *fallibleDisk) after(random *rand.Rand) *fallibleDisk {
	keep := d.synced + random.IntN(len(d.data)-d.synced+1)
	next := append([]byte(nil), d.data[:keep]...)
	if lost := len(d.data) - keep; lost > 0 && random.IntN(2) == 0 && keep > 0 && next[keep-1] != '\n' {
		next = append(next, make([]byte, random.IntN(lost))...)
	}
	return &fallibleDisk{data: next, synced: len(next)}
}

// machine is one that crashes: a retry log, the announcements beside it, and who counts what arrived.
type machine struct {
	random    *rand.Rand
	log       *fallibleDisk
	announced *fallibleDisk // nil: no such file

	arrived map[string]int       // requests, by target
	written map[string]time.Time // when its outcome was handed to the journal, in this life
	at      int                  // the machine crashes when so many requests have arrived in this life; 0: never
	lives   int
	crashed time.Time

	concurrency int
}

// Attempt implements refire.Client.
func (m *machine) Attempt(ctx context.Context, r *refire.Request) refire.Answer {
	m.log.mu.Lock()
	crashed := m.log.crashed
	m.log.mu.Unlock()
	if crashed {
		return refire.Answer{Err: &refire.Failure{Trouble: refire.Other, Err: errCrashed}}
	}
	m.arrived[r.Target]++
	if m.at--; m.at == 0 {
		m.crashed = time.Now()
		m.log.crash()
		if m.announced != nil {
			m.announced.crash()
		}
	}
	_ = aio.Sleep(ctx, time.Duration(1+m.random.IntN(100))*time.Millisecond)
	return refire.Answer{Status: 200}
}

const crashEntries = 120

func crashSource(_ context.Context, emit func(refire.Request, int64) error) error {
	for i := range crashEntries {
		r := refire.Request{
			ID: accesslog.ID{byte(i + 1)}, Method: "GET", Origin: refire.Origin{Scheme: "http", Host: "h", Port: 80}, Target: fmt.Sprintf("/%d", i), OldStatus: 503,
		}
		if err := emit(r, 0); err != nil {
			return err
		}
	}
	return nil
}

// live starts refire on what the machine's disk holds, until the end or the next crash. It returns how many outcomes were told to be unknown.
func (m *machine) live(t *testing.T, policy Sync, once bool) (done bool, unknown int) {
	t.Helper()
	left := &Fired{}
	if m.announced != nil {
		var err error
		if left, err = readFired(io.NewSectionReader(m.announced, 0, m.announced.size())); err != nil {
			t.Fatal(err)
		}
	}
	announcements := &firedLog{
		create: func() (file, error) { m.announced = &fallibleDisk{}; return m.announced, nil },
		replace: func(text []byte) (file, error) {
			m.announced.mu.Lock()
			defer m.announced.mu.Unlock()
			if m.announced.crashed {
				return nil, errCrashed
			}
			m.announced = &fallibleDisk{data: text, synced: len(text)}
			return m.announced, nil
		},
		remove: func() error { m.announced = nil; return nil },
		limit:  1000,
	}
	ledger := refire.NewLedger(false)
	j, repairs, err := open(m.log, m.log.size(), announcements, left, Options{Sync: policy}, func(o *refire.Outcome) error { ledger.Load(o); return nil })
	if err != nil {
		t.Fatalf("life %d: %v\n%q", m.lives, err, m.log.data)
	}
	f := &refire.Firing{Sources: []refire.Source{crashSource}, Ledger: ledger, Client: m, Sink: &watchedJournal{j, m}, Concurrency: m.concurrency}
	if once {
		f.Once = func(*refire.Request) bool { return true }
	}
	_, err = aio.Run(t.Context(), f.Run)
	if cerr := j.Close(); err == nil && cerr == nil {
		return true, repairs.Unknown
	}
	if !m.log.crashed {
		t.Fatalf("life %d: %v", m.lives, err)
	}
	return false, repairs.Unknown
}

// watchedJournal notes when outcomes were written.
type watchedJournal struct {
	*Journal
	m *machine
}

func (w *watchedJournal) Append(outcomes []refire.Outcome) (int, error) {
	n, err := w.Journal.Append(outcomes)
	for i := range outcomes[:n] {
		w.m.written[outcomes[i].Target] = time.Now()
	}
	return n, err
}

// TestMachineCrashes lets the machine crash at random requests, with all that was not synced in part or in whole: what the policy says is lost is lost at
// most, and every entry is in exactly one outcome in the end.
func TestMachineCrashes(t *testing.T) {
	rounds := 15
	if testing.Short() {
		rounds = 5
	}
	for _, policy := range []Sync{SyncAlways, SyncInterval, SyncNever} {
		for _, once := range []bool{false, true} {
			for range rounds {
				seed := rand.Uint64()
				t.Run(fmt.Sprintf("%s/once=%v/%d", policy, once, seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { crashUntilDone(t, policy, once, rand.New(rand.NewPCG(seed, 0))) })
				})
			}
		}
	}
}

func crashUntilDone(t *testing.T, policy Sync, once bool, random *rand.Rand) {
	m := &machine{random: random, log: &fallibleDisk{}, arrived: map[string]int{}}
	unknown := 0
	for {
		m.lives++
		before := map[string]int{}
		for target, n := range m.arrived {
			before[target] = n
		}
		m.written = map[string]time.Time{}
		m.concurrency = 1 + random.IntN(5)
		m.at = 1 + random.IntN(60)
		if m.lives > 20 {
			m.at = 0
		}
		done, n := m.live(t, policy, once)
		unknown += n
		if done {
			break
		}
		m.checkLoss(t, policy, before)
	}
	holds := map[string]int{}
	if _, err := Read(strings.NewReader(string(m.log.data)), func(o *refire.Outcome) error {
		holds[o.Target]++
		if o.Verdict().Unknown() {
			unknown--
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range crashEntries {
		target := fmt.Sprintf("/%d", i)
		if holds[target] != 1 {
			t.Errorf("%s has %d outcomes", target, holds[target])
		}
		if m.arrived[target] == 0 && !once {
			t.Errorf("%s was never fired", target)
		}
		if m.arrived[target] > 1 && once && policy != SyncNever {
			t.Errorf("%s was fired %d times", target, m.arrived[target])
		}
	}
	if unknown != 0 && policy != SyncNever {
		t.Errorf("%d more were told to be unknown than are", unknown)
	}
}

// checkLoss makes a crashed machine's disk what it is when it is up again, and counts what that has cost: outcomes that were written in this life and are gone.
func (m *machine) checkLoss(t *testing.T, policy Sync, before map[string]int) {
	t.Helper()
	m.log = m.log.after(m.random)
	if m.announced != nil {
		m.announced = m.announced.after(m.random)
	}
	held := map[string]bool{}
	if _, err := Read(strings.NewReader(string(m.log.data)), func(o *refire.Outcome) error { held[o.Target] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	for target, at := range m.written {
		if held[target] {
			continue
		}
		switch {
		case policy == SyncAlways:
			t.Errorf("life %d: the outcome of %s was written, and is lost", m.lives, target)
		case policy == SyncInterval && m.crashed.Sub(at) > syncEvery:
			t.Errorf("life %d: the outcome of %s was written %v before the crash, and is lost", m.lives, target, m.crashed.Sub(at))
		}
	}
	underWay := 0
	for target, n := range m.arrived {
		if _, written := m.written[target]; n > before[target] && !written {
			underWay++
		}
	}
	if underWay > m.concurrency {
		t.Errorf("life %d: %d were fired and not written, %d at a time", m.lives, underWay, m.concurrency)
	}
}
