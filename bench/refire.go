package main

func refireRows() []row { return nil }
