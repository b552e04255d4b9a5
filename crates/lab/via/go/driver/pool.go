package main

import (
	"context"
	"encoding/json"
	"time"

	"faulty"
	"hotcell"
)

// allHang has both sessions of a pool hang, and somebody else ask for one; then the pool works.
func allHang(text json.RawMessage) (answer, error) {
	pool := hotcell.NewPool(2, func(context.Context) (*faulty.Library, error) { return open(text) })
	defer func() { _ = pool.Close() }()
	ctx := context.Background()
	leased, hanging := make(chan struct{}), make(chan error)
	hang := func() {
		hanging <- pool.Do(ctx, func(lent *faulty.Library) error {
			within, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			leased <- struct{}{}
			_, err := lent.Loop(within)
			return err
		})
	}
	go hang()
	go hang()
	<-leased
	<-leased
	now, cancel := context.WithTimeout(ctx, 0)
	defer cancel()
	_, third := pool.Get(now)
	ends := []string{kind(<-hanging), kind(<-hanging)}
	var next int32
	err := pool.Do(ctx, func(lent *faulty.Library) (err error) {
		next, err = lent.Add(ctx, 2, 3)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer{"hanging": ends, "third": failed(third), "next": next}, nil
}

// kind is that of an error.
func kind(err error) string {
	name, _ := failed(err)["kind"].(string)
	return name
}
