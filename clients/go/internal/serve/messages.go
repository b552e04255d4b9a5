package serve

import (
	"encoding/json"
	"os"
	"runtime"
	"strconv"

	"hotcell"
	"hotcell/internal/shm"
)

// version is that of what client and server say to each other.
const version = 2

// keep keeps a file's descriptor open until here.
func keep(file *os.File) { runtime.KeepAlive(file) }

// message is one of the client: a JSON object.
type message map[string]any

// text is a number that may be beyond 2⁵³.
func text(number uint64) string { return strconv.FormatUint(number, 10) }

// answer is a message of the server. Members that it does not know are ignored.
type answer struct {
	Kind         string         `json:"kind"`
	ID           uint64         `json:"id"`
	Version      int            `json:"version"`
	Server       string         `json:"server"`
	Error        *hotcell.Error `json:"error"`
	Callers      int            `json:"callers"`
	SpinNS       int64          `json:"spin_ns"`
	Session      uint64         `json:"session"`
	Generation   number         `json:"generation"`
	Epoch        uint16         `json:"epoch"`
	Lanes        int            `json:"lanes"`
	RequestBytes int            `json:"request_bytes"`
	ReplyBytes   int            `json:"reply_bytes"`
	Capabilities number         `json:"capabilities"`
	Number       uint16         `json:"number"`
	Bytes        int            `json:"bytes"`
	Direction    string         `json:"direction"`
	Fault        *hotcell.Error `json:"fault"`
	Lane         *int           `json:"lane"`
	Function     string         `json:"function"`
	Call         number         `json:"call"`
	Why          string         `json:"why"`
	Stopping     []int          `json:"stopping"`
	Outcome      Cancelled      `json:"outcome"`
	Options      inForce        `json:"options"`
	// long is what came as a file, behind a message of so many Bytes.
	long []byte
	// mapping is the segment that was mapped for the order.
	mapping *shm.Mapping
}

// inForce is what is in force of the options, as far as the client does it.
type inForce struct {
	CancelGraceMS float64 `json:"cancel_grace_ms"`
	Retries       struct {
		Tries int `json:"tries"`
	} `json:"retries"`
}

// number is one that may be beyond 2⁵³, and is then a string.
type number uint64

// UnmarshalJSON reads either form.
func (n *number) UnmarshalJSON(data []byte) error {
	if len(data) > 1 && data[0] == '"' {
		data = data[1 : len(data)-1]
	}
	return json.Unmarshal(data, (*uint64)(n))
}
