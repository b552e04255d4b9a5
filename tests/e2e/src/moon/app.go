// The package of moon, whose library has no name of itself and lies elsewhere than where the package was built.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hotcell"
	moon "moon-hotcell"
)

func main() {
	ctx := context.Background()
	// Nobody says where it is.
	_, err := moon.Open(ctx, hotcell.Options{})
	if !errors.Is(err, hotcell.ErrLoadFailed) || !strings.Contains(err.Error(), "name the folder of libmoon.so in $HOTCELL_MOON_LIB") {
		panic(err)
	}
	added(moon.Open(ctx, hotcell.Options{Libraries: []string{os.Getenv("MOON")}}))
	if err := os.Setenv("HOTCELL_MOON_LIB", filepath.Dir(os.Getenv("MOON"))); err != nil {
		panic(err)
	}
	added(moon.Open(ctx, hotcell.Options{}))
	fmt.Println("all is well")
}

// added is a library that adds.
func added(lib *moon.Library, err error) {
	if err != nil {
		panic(err)
	}
	defer lib.Close()
	if sum, err := lib.Add(context.Background(), 40, 2); sum != 42 || err != nil {
		panic(fmt.Sprint(sum, err))
	}
}
