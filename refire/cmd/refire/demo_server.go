package main

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// demoServer is a shop that has not quite recovered: some pages fail once more, some for good, one hangs, one cuts the connection.
type demoServer struct {
	listener net.Listener
	server   *http.Server
	closing  chan struct{}

	mu   sync.Mutex
	seen map[string]int // guarded by mu: requests by path
}

func startDemoServer() (*demoServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &demoServer{listener: l, closing: make(chan struct{}), seen: map[string]int{}}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	go s.server.Serve(l)
	return s, nil
}

func (s *demoServer) base() string { return "http://" + s.listener.Addr().String() }

func (s *demoServer) close() {
	close(s.closing)
	s.server.Close()
}

// ServeHTTP implements http.Handler.
func (s *demoServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen[r.URL.Path]++
	times := s.seen[r.URL.Path]
	s.mu.Unlock()
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/cart") && times == 1:
		http.Error(w, "the cart is waking up", http.StatusServiceUnavailable)
	case strings.HasPrefix(path, "/invoices/"):
		http.Error(w, "still broken", http.StatusInternalServerError)
	case path == "/export" && times == 1:
		s.hang(r)
	case path == "/avatar":
		cut(w)
	default:
		w.Header().Set("Content-Type", "text/plain")
		w.Write([]byte("here you are\n"))
	}
}

// hang answers nothing until the client has had enough.
func (s *demoServer) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.closing:
	}
}

// cut resets the connection.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
