package protocol

import "social-server/internal/settings"

// AppendPage appends the members of a page of history, newest first (SPEC U1).
func AppendPage(data []byte, page settings.Page) []byte {
	data = append(data, `"changes":[`...)
	for i, r := range page.Records {
		if i > 0 {
			data = append(data, ',')
		}
		data = append(data, `{"revision":`...)
		data = appendUint(data, r.Revision)
		data = appendReplacement(append(data, ','), r)
		data = append(data, `,"device":{"id":`...)
		data = appendString(data, r.Device)
		data = append(data, `,"name":`...)
		data = appendString(data, r.DeviceName)
		data = append(data, `},"at":"`...)
		data = r.At.UTC().AppendFormat(data, timeLayout)
		data = append(data, `","id":`...)
		data = append(appendString(data, r.PatchID), '}')
	}
	data = append(data, ']')
	if page.Next > 0 {
		data = append(data, `,"next":`...)
		data = appendUint(data, page.Next)
	}
	return data
}

// AppendTrial appends the members of what a patch would do (SPEC U5).
func AppendTrial(data []byte, t settings.Trial) []byte {
	data = append(data, `"epoch":`...)
	data = appendString(data, t.Epoch)
	data = append(data, `,"revision":`...)
	data = appendUint(data, t.Revision)
	data = append(data, `,"changes":[`...)
	for i, r := range t.Changes {
		if i > 0 {
			data = append(data, ',')
		}
		data = appendReplacement(append(data, '{'), r)
		data = append(data, '}')
	}
	return AppendLeft(append(data, ']'), t.Left)
}

// AppendLeft appends the member left, the keys that a partial undo does not
// touch, if there are any (SPEC U4).
func AppendLeft(data []byte, left []settings.Entry) []byte {
	if len(left) == 0 {
		return data
	}
	return AppendValues(append(data, `,"left":`...), left, AppendValue)
}

// appendReplacement appends "block", "key", "value" and "previous", which is
// absent where the key had never been set. Values keep their text, unless no
// device can read them (SPEC V7).
func appendReplacement(data []byte, r settings.Record) []byte {
	data = append(data, `"block":`...)
	data = appendString(data, r.Block)
	data = append(data, `,"key":`...)
	data = appendString(data, r.Name)
	data = append(data, `,"value":`...)
	data = append(data, settings.Readable(r.Text)...)
	if r.Set {
		data = append(data, `,"previous":`...)
		data = append(data, settings.Readable(r.Previous)...)
	}
	return data
}
