package conformance

import (
	"fmt"

	"hotcell"
)

// cause is the JSON form of what is known beyond an error's kind.
func cause(err error) map[string]any {
	switch cause := err.(type) {
	case *hotcell.LibraryError:
		fields := map[string]any{"code": cause.Code, "symbol": nil, "errno": int(cause.Errno)}
		if cause.Symbol != "" {
			fields["symbol"] = cause.Symbol
		}
		return fields
	case *hotcell.CrashError:
		fields := map[string]any{"signal": cause.Name}
		if cause.HasAddress {
			fields["address"] = fmt.Sprintf("%#x", cause.Address)
		}
		return fields
	case *hotcell.ExitError:
		return map[string]any{"status": cause.Status}
	case *hotcell.ArgumentError:
		return map[string]any{"argument": cause.Name}
	}
	return nil
}
