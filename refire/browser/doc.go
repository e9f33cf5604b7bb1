// Package browser tests refire's page in Chromium, with axe-core as the judge of accessibility. It is a module of its own, so that nobody who builds refire
// downloads a browser's protocol.
package browser
