// Package refire fires again what an access log says had failed.
//
// An accesslog.Entry becomes a Request (Plan decides its fate), a Request becomes an Outcome (Firing runs attempts of it through a Client), and package
// retrylog turns outcomes into lines. Each of them is a plain struct, and only the Client talks to anybody.
//
// Log lines are written by strangers. A request goes to the operator's base, or to a host the operator allowed, whatever its line says; the target in the
// request line is the one the client had sent, byte for byte, but for bytes that cannot stand there (see Wire). The mark retry=True is added to the URL in
// the outcome (see Mark), not to what is sent.
package refire
