package procpool_test

var roles = map[string]func(){"cat": playCat}

func playParent() {}
