module github.com/seed8b1f0744/aio/refire/servers

go 1.26.0
