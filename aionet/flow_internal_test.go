package aionet

import "testing"

// What is not set of WriteLimits follows from what is.
func TestTransport_derivedLimits(t *testing.T) {
	for _, c := range []struct{ set, want WriteLimits }{
		{WriteLimits{}, WriteLimits{Low: 16 << 10, High: 64 << 10}},
		{WriteLimits{High: 100}, WriteLimits{Low: 25, High: 100}},
		{WriteLimits{High: 1}, WriteLimits{Low: 0, High: 1}},
		{WriteLimits{Low: 100}, WriteLimits{Low: 100, High: 400}},
		{WriteLimits{Low: 7, High: 100}, WriteLimits{Low: 7, High: 100}},
		{WriteLimits{Low: 100, High: 100}, WriteLimits{Low: 100, High: 100}},
		{WriteLimits{Low: -1, High: 100}, WriteLimits{Low: 25, High: 100}},
		{WriteLimits{Low: -1}, WriteLimits{Low: 16 << 10, High: 64 << 10}},
		{WriteLimits{High: -1}, WriteLimits{}},
		{WriteLimits{Low: -1, High: -1}, WriteLimits{}},
	} {
		tr := &Transport{limits: &WriteLimits{Low: 1, High: 2}} // set before
		if tr.setLimits(c.set); *tr.writeLimits() != c.want {
			t.Errorf("%+v comes to %+v, want %+v", c.set, *tr.writeLimits(), c.want)
		}
	}
}
