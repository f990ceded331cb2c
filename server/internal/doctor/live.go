package doctor

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	newsWithin = 2 * time.Second        // from a change to the news of it
	pollWaits  = 500 * time.Millisecond // how long a long-poll must have waited to be one
)

// webSocket opens a session, changes a setting and waits for the answer.
func (v *Visit) webSocket(ctx context.Context, a *Address) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	ws, answer, err := a.upgrade(ctx, v.user("/ws"), nil)
	if answer != nil && err != nil {
		return "", fmt.Errorf("the upgrade to WebSocket is answered with %s", answer.Status)
	}
	if err != nil {
		return "", err
	}
	defer ws.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := errors.Join(ws.SetReadDeadline(deadline), ws.SetWriteDeadline(deadline)); err != nil {
			return "", err
		}
	}
	until := func(kind string) error {
		for {
			_, text, err := ws.ReadMessage()
			if err != nil {
				return fmt.Errorf("the connection ended before %s: %w", kind, err)
			}
			var frame struct {
				Type    string `json:"type"`
				Message string `json:"message"`
			}
			if err := json.Unmarshal(text, &frame); err != nil || frame.Type == kind {
				return err
			}
			if frame.Type == "refused" {
				return fmt.Errorf("a change is refused: %s", frame.Message)
			}
		}
	}
	if err := ws.WriteJSON(map[string]string{"type": "hello", "token": v.token}); err != nil {
		return "", err
	}
	if err := until("ready"); err != nil {
		return "", err
	}
	began := time.Now()
	err = ws.WriteJSON(map[string]any{
		"type": "patch", "id": rand.Text(), "set": v.reset,
	})
	if err != nil {
		return "", err
	}
	if err := until("ack"); err != nil {
		return "", err
	}
	return fmt.Sprintf("a change is stored and acknowledged in %v", time.Since(began).Round(100*time.Microsecond)), nil
}

// events opens a stream and waits for the event of a change.
func (v *Visit) events(ctx context.Context, a *Address) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(newsWithin, cancel)
	answer, err := a.do(ctx, call{method: http.MethodGet, path: v.user("/events"), token: v.token})
	if !late.Stop() {
		err = errors.Join(fmt.Errorf("the stream does not begin within %v: it is held back", newsWithin), err)
	}
	if err != nil {
		cancel()
		if answer != nil {
			_ = answer.Body.Close()
		}
		return "", err
	}
	events := make(chan string)
	go readEvents(ctx, answer.Body, events)
	defer func() {
		cancel()
		_ = answer.Body.Close()
		for range events { // until its reader has ended
		}
	}()
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		return "", fmt.Errorf("the stream of events is answered with %s, %q", answer.Status, kind)
	}
	if err := awaitEvent(events, "ready"); err != nil {
		return "", err
	}
	began := time.Now()
	if _, err := v.patch(ctx, a, nil); err != nil {
		return "", err
	}
	if err := awaitEvent(events, "change"); err != nil {
		return "", err
	}
	return fmt.Sprintf("an event arrives %v after its change was sent", time.Since(began).Round(100*time.Microsecond)), nil
}

// readEvents sends the types of events until the stream ends.
func readEvents(ctx context.Context, stream io.Reader, to chan<- string) {
	defer close(to)
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		kind, ok := strings.CutPrefix(lines.Text(), "event: ")
		if !ok {
			continue
		}
		select {
		case to <- kind:
		case <-ctx.Done():
			return
		}
	}
}

func awaitEvent(events <-chan string, kind string) error {
	timer := time.NewTimer(newsWithin)
	defer timer.Stop()
	for {
		select {
		case got, ok := <-events:
			if !ok {
				return fmt.Errorf("the stream ended before the event %q", kind)
			}
			if got == kind {
				return nil
			}
		case <-timer.C:
			return fmt.Errorf("the event %q does not arrive within %v: the stream is held back", kind, newsWithin)
		}
	}
}

// poll waits for a change with a long-poll.
func (v *Visit) poll(ctx context.Context, a *Address) (string, error) {
	at, err := v.patch(ctx, a, nil)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		answer, err := a.do(ctx, call{method: http.MethodGet, path: v.user("/settings?wait=20&since=" + at), token: v.token})
		if err == nil {
			err = answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				err = fmt.Errorf("the long-poll is answered with %s", answer.Status)
			}
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		return "", errors.Join(errors.New("the long-poll does not wait for a change"), err)
	case <-time.After(pollWaits):
	}
	began := time.Now()
	_, err = v.patch(ctx, a, nil)
	if err == nil {
		select {
		case err := <-ended:
			return fmt.Sprintf("it waits, and a change ends it in %v", time.Since(began).Round(100*time.Microsecond)), err
		case <-time.After(newsWithin):
			err = fmt.Errorf("the answer does not come within %v of the change", newsWithin)
		}
	}
	cancel()
	<-ended
	return "", err
}
