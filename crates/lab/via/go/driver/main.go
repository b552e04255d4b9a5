// The driver of the crash lab in Go: it makes the calls that the lab asks for, through a generated package, and says what came of
// them. README.md two folders up has what both say.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"faulty"
	"hotcell"
)

// order is what the lab says.
type order struct {
	ID       uint64          `json:"id"`
	Do       string          `json:"do"`
	Options  json.RawMessage `json:"options"`
	Session  uint64          `json:"session"`
	Function string          `json:"function"`
	Args     []any           `json:"args"`
	WithinMS *int64          `json:"within_ms"`
	Inside   *uint64         `json:"inside"`
	Callback uint64          `json:"callback"`
	Value    any             `json:"value"`
	Fail     *string         `json:"fail"`
	Call     uint64          `json:"call"`
	Object   uint64          `json:"object"`
	Mask     *int            `json:"mask"`
}

// answer is what the lab is told.
type answer map[string]any

// driver is what lives as long as this program.
type driver struct {
	output    sync.Mutex
	mutex     sync.Mutex
	last      uint64
	libraries map[uint64]*faulty.Library
	objects   map[uint64]any
	// callbacks hear what is for the goroutine that runs one.
	callbacks map[uint64]chan order
	// calls can be given up.
	calls     map[uint64]context.CancelFunc
	bystander *bystander
}

func main() {
	d := &driver{
		libraries: map[uint64]*faulty.Library{}, objects: map[uint64]any{},
		callbacks: map[uint64]chan order{}, calls: map[uint64]context.CancelFunc{},
	}
	orders := json.NewDecoder(bufio.NewReader(os.Stdin))
	for {
		var it order
		if orders.Decode(&it) != nil {
			os.Exit(0) // the workers end with this process
		}
		d.begin(it)
	}
}

// begin does it, or has it done: no order waits for another.
func (d *driver) begin(it order) {
	inside := it.Callback
	if it.Do == "call" && it.Inside != nil {
		inside = *it.Inside
	}
	switch {
	case inside != 0:
		d.mutex.Lock()
		hears := d.callbacks[inside]
		d.mutex.Unlock()
		if hears != nil {
			hears <- it
		}
	case it.Do == "call":
		go d.call(context.Background(), it)
	default:
		go func() {
			said, err := d.do(it)
			d.say(it.ID, said, err)
		}()
	}
}

// say answers an order.
func (d *driver) say(id uint64, said answer, err error) {
	if said == nil {
		said = answer{}
	}
	if err != nil {
		said["failed"] = failed(err)
	}
	said["id"] = id
	line, err := json.Marshal(said)
	if err != nil {
		line = fmt.Appendf(nil, `{"id":%d,"failed":{"why":"lacks","message":%q}}`, id, err)
	}
	d.output.Lock()
	defer d.output.Unlock()
	_, _ = os.Stdout.Write(append(line, '\n'))
}

// keep keeps something under a new number.
func keep[T any](d *driver, kept map[uint64]T, it T) uint64 {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.last++
	kept[d.last] = it
	return d.last
}

// take takes it out again.
func take[T any](d *driver, kept map[uint64]T, number uint64) (T, bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	it, there := kept[number]
	delete(kept, number)
	return it, there
}

func (d *driver) library(number uint64) *faulty.Library {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.libraries[number]
}

// do does what is no call.
func (d *driver) do(it order) (answer, error) {
	switch it.Do {
	case "open":
		lib, err := open(it.Options)
		if err != nil {
			return nil, err
		}
		return answer{"session": keep(d, d.libraries, lib)}, nil
	case "close":
		if lib, there := take(d, d.libraries, it.Session); there {
			return nil, lib.Close()
		}
	case "cancel":
		if cancel, there := take(d, d.calls, it.Call); there {
			cancel()
		}
	case "release":
		if object, there := take(d, d.objects, it.Object); there {
			_ = object.(interface{ Close() error }).Close()
		}
	case "stats":
		return d.stats(it.Session)
	case "state":
		return state(it.Mask)
	case "bystander":
		return d.bystanders()
	case "all-hang":
		return allHang(it.Options)
	case "goroutines":
		runtime.GC() // what nobody closes is closed behind it
		return answer{"count": runtime.NumGoroutine()}, nil
	default:
		return nil, lacks("the Go client has no `" + it.Do + "`")
	}
	return nil, nil
}

func (d *driver) stats(session uint64) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stats, err := d.library(session).Session().Stats(ctx)
	if err != nil {
		return nil, err
	}
	return answer{"stats": json.RawMessage(stats)}, nil
}

// state is what this process has once, which no library may change.
func state(mask *int) (answer, error) {
	directory, err := os.Getwd()
	before := syscall.Umask(0o22)
	if mask != nil {
		syscall.Umask(*mask)
	} else {
		syscall.Umask(before)
	}
	return answer{"directory": directory, "mask": before, "environment": strings.Join(os.Environ(), "\n")}, err
}

// bystander is somebody else, who calls in a session of their own all the while.
type bystander struct {
	mutex        sync.Mutex
	right, wrong uint64
}

func (d *driver) bystanders() (answer, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.bystander == nil {
		d.bystander = &bystander{}
		lib, err := faulty.Open(context.Background(), hotcell.Options{Libraries: []string{os.Getenv("LAB_LIBRARY")}, Waiting: hotcell.WaitEconomy})
		if err != nil {
			return nil, err
		}
		go d.bystander.call(lib)
	}
	d.bystander.mutex.Lock()
	defer d.bystander.mutex.Unlock()
	return answer{"right": d.bystander.right, "wrong": d.bystander.wrong}, nil
}

func (b *bystander) call(lib *faulty.Library) {
	for turn := int32(0); ; turn = (turn + 1) % 1000 {
		sum, err := lib.Add(context.Background(), turn, 7)
		b.mutex.Lock()
		if err == nil && sum == turn+7 {
			b.right++
		} else {
			b.wrong++
		}
		b.mutex.Unlock()
		time.Sleep(time.Millisecond)
	}
}
