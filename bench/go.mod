module github.com/seed8b1f0744/aio/bench

go 1.26.0

require github.com/seed8b1f0744/aio v0.0.0

require (
	github.com/rakyll/hey v0.1.5 // indirect
	golang.org/x/net v0.48.0 // indirect
	golang.org/x/text v0.33.0 // indirect
)

replace github.com/seed8b1f0744/aio => ../

tool github.com/rakyll/hey
