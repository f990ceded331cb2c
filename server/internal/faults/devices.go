package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Password is that of every test account. The log must never show it (O5).
const Password = "kettle-maple-orbit-72"

// Device is a registered and logged-in device.
type Device struct {
	Name  string
	ID    string
	Token string
}

// web is used for all requests. It keeps no connection: the server they lead to
// dies often here.
var web = &http.Client{
	Timeout:   15 * time.Second,
	Transport: &http.Transport{DisableKeepAlives: true},
}

func isReady(ctx context.Context, addr string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := web.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// fetch returns the body of a page.
func fetch(ctx context.Context, address string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	answer, err := web.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// Request is one HTTP request to the server's API.
type Request struct {
	Method, Path string // below /api/v1
	Token        string
	Body         string
	Header       map[string]string
}

// Do sends a request to the server at addr and returns the answer's status and body.
func Do(ctx context.Context, addr string, q Request) (status int, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, q.Method, "http://"+addr+"/api/v1"+q.Path, strings.NewReader(q.Body))
	if err != nil {
		return 0, nil, err
	}
	if q.Body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.Token != "" {
		r.Header.Set("Authorization", "Bearer "+q.Token)
	}
	for name, value := range q.Header {
		r.Header.Set(name, value)
	}
	answer, err := web.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// want sends a request that must be answered with one status, and decodes the answer.
func want(ctx context.Context, addr string, status int, q Request, into any) error {
	got, body, err := Do(ctx, addr, q)
	if err != nil {
		return err
	}
	if got != status {
		return fmt.Errorf("%s %s answered %d, want %d: %s", q.Method, q.Path, got, status, bytes.TrimSpace(body))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// Register registers a device and logs it in.
func Register(ctx context.Context, addr, email, name string) (Device, error) {
	text, err := json.Marshal(map[string]string{"deviceName": name, "email": email, "password": Password})
	if err != nil {
		return Device{}, err
	}
	d := Device{Name: name}
	err = want(ctx, addr, http.StatusCreated, Request{Method: "POST", Path: "/register", Body: string(text)}, nil)
	if err != nil {
		return d, err
	}
	return d, d.Login(ctx, addr)
}

// Login fetches a new token.
func (d *Device) Login(ctx context.Context, addr string) error {
	text, err := json.Marshal(map[string]string{"deviceName": d.Name, "password": Password})
	if err != nil {
		return err
	}
	var grant struct {
		AccessToken string `json:"accessToken"`
		Device      struct {
			ID string `json:"id"`
		} `json:"device"`
	}
	err = want(ctx, addr, http.StatusOK, Request{Method: "POST", Path: "/login", Body: string(text)}, &grant)
	d.ID, d.Token = grant.Device.ID, grant.AccessToken
	return err
}

// Connect makes a user with this device as its first member.
func (d *Device) Connect(ctx context.Context, addr, username string) error {
	return want(ctx, addr, http.StatusCreated,
		Request{Method: "POST", Path: "/users", Token: d.Token, Body: fmt.Sprintf(`{"username":%q}`, username)}, nil)
}

// Join makes the device a member of a user.
func (d *Device) Join(ctx context.Context, addr, username string) error {
	return want(ctx, addr, http.StatusOK,
		Request{Method: "POST", Path: "/users/" + username + "/join", Token: d.Token}, nil)
}
