module github.com/seed8b1f0744/aio/examples/cthread

go 1.26.0

require github.com/seed8b1f0744/aio v0.0.0

replace github.com/seed8b1f0744/aio => ../../
