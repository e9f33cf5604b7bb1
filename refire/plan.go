package refire

import "github.com/seed8b1f0744/aio/refire/accesslog"

// Plan decides what becomes of an entry. It is pure: the same entry has the same fate whenever it is asked.
type Plan struct {
	Methods Methods
	Routes  Routes
	CanSend func(*Request) bool // whether the client can put it on the wire as it is; nil: all of them
}

// MayNot says why a request that was fired before is none of this plan's; empty: it may be fired again. See Ledger.MayNot.
func (p *Plan) MayNot(r *Request) Reason {
	switch {
	case !p.Methods.Contains(r.Method):
		return OtherMethod
	case !p.Routes.Permits(r.Origin):
		return OtherPlace
	case p.CanSend != nil && !p.CanSend(r):
		return CannotSend
	}
	return ""
}

// Decide returns the request to fire for e, or the reason why there is none. The entry's status is taken to be a wanted one.
//
// An entry that is Tagged is refire's OwnRequest: give its UserAgent as accesslog.Options.Tag. Whether there is a request at all comes before the method, and the method before the host: an entry has one reason, the first that holds.
func (p *Plan) Decide(e *accesslog.Entry) (Request, Reason) {
	at, target, why := p.Routes.Place(e.Method, e.Target, e.Host, e.Scheme)
	switch {
	case e.Tagged:
		return Request{}, OwnRequest
	case why.IsNoRequest():
		return Request{}, why
	case !p.Methods.Contains(e.Method):
		return Request{}, OtherMethod
	case why != "":
		return Request{}, why
	}
	r := Request{ID: e.ID, Method: e.Method, Origin: at, OldStatus: e.Status, Source: e.Source, Offset: e.Offset, Logged: e.Time}
	r.Target, r.Rewritten = Wire(target)
	if p.CanSend != nil && !p.CanSend(&r) {
		return Request{}, CannotSend
	}
	return r, ""
}
