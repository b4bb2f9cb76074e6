"""Reads a whole mailbox by IMAP with imaplib and the email package, and says what does not agree.

Arguments: CA file, port, user, password, mailbox. Prints one JSON object:
    messages, parts    how many it has seen
    faults             [[n, what, ...]] against RFC 9051, whatever the mail looks like
    differences        [[n, what, ours, theirs]] between ENVELOPE, BODYSTRUCTURE and Python's reading
    headersCut         how many mails' header Python ends at a line that is no field
"""

import email
import email.errors
import email.utils
import imaplib
import json
import re
import ssl
import sys

ca, port, user, password, mailbox = sys.argv[1:]


def tokens(data):
    """A FETCH response as imaplib gives it: text, and literals where it ends in {n}."""
    for chunk in data:
        text, literal = chunk if isinstance(chunk, tuple) else (chunk, None)
        if literal is not None:
            text, length = re.fullmatch(rb'(?s)(.*)\{(\d+)\}', text).groups()
            assert int(length) == len(literal)
        at = 0
        pattern = re.compile(
            rb' |([()])|"((?:[^"\\\r\n\0]|\\["\\])*)"|(\d+)|(BODY\[[^]]*\](?:<\d+>)?|[^\s()"{}\\]+)'
        )
        while at < len(text):
            match = pattern.match(text, at)
            assert match, text[at : at + 100]
            at = match.end()
            sign, quoted, number, atom = match.groups()
            if sign is not None:
                yield sign
            elif quoted is not None:
                yield ('string', re.sub(rb'\\(.)', rb'\1', quoted))
            elif number is not None:
                yield int(number)
            elif atom is not None:
                yield None if atom == b'NIL' else atom.decode('ascii')
        if literal is not None:
            yield ('string', literal)


def tree(stream):
    """Lists from parentheses; strings as bytes, atoms as str."""
    stack = [[]]
    for token in stream:
        if token == b'(':
            stack.append([])
        elif token == b')':
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(token[1] if isinstance(token, tuple) else token)
    assert len(stack) == 1
    return stack[0]


def is_string(value):
    return isinstance(value, bytes)


def check(condition, *what):
    if not condition:
        raise AssertionError(what)


def nstring(value):
    check(value is None or is_string(value), 'nstring', value)


def envelope(value):
    """RFC 9051 §9 envelope."""
    check(isinstance(value, list) and len(value) == 10, 'envelope', value)
    for field in (value[0], value[1], value[8], value[9]):
        nstring(field)
    for addresses in value[2:8]:
        check(addresses is None or (isinstance(addresses, list) and addresses), addresses)
        for address in addresses or []:
            check(isinstance(address, list) and len(address) == 4, address)
            for field in address:
                nstring(field)


def params(value):
    check(value is None or (isinstance(value, list) and value and len(value) % 2 == 0), value)
    for word in value or []:
        check(is_string(word), word)


def extension(value):
    """body-fld-dsp, body-fld-lang, body-fld-loc."""
    check(len(value) == 3, 'extension', value)
    disposition, language, location = value
    if disposition is not None:
        check(len(disposition) == 2 and is_string(disposition[0]), disposition)
        params(disposition[1])
    for tag in language or []:
        check(is_string(tag), language)
    nstring(location)


def leaves(body, path=''):
    """Checks a BODYSTRUCTURE by RFC 9051 §9; yields (path, kind, octets, lines, inner)."""
    if isinstance(body[0], list):
        count = next(i for i, item in enumerate(body) if not isinstance(item, list))
        for i, part in enumerate(body[:count]):
            yield from leaves(part, f'{path}.{i + 1}' if path else str(i + 1))
        check(is_string(body[count]), 'subtype')
        params(body[count + 1])
        extension(body[count + 2 :])
        return
    path = path or '1'
    kind = b'/'.join(body[:2]).decode('latin1')
    params(body[2])
    nstring(body[3])
    nstring(body[4])
    check(is_string(body[5]), 'encoding')
    check(isinstance(body[6], int), 'octets')
    rest, lines, inner = body[7:], None, None
    if kind in ('message/rfc822', 'message/global'):
        envelope(rest[0])
        inner, lines, rest = rest[1], rest[2], rest[3:]
        check(isinstance(lines, int), 'lines')
    elif kind.startswith('text/'):
        lines, rest = rest[0], rest[1:]
        check(isinstance(lines, int), 'lines')
    nstring(rest[0])
    extension(rest[1:])
    yield path, kind, body[6], lines, inner
    if inner is not None:
        # A message's own multipart has no number of its own (RFC 9051 §6.4.5.1).
        yield from leaves(inner, path if isinstance(inner[0], list) else f'{path}.1')


def shape(body):
    if isinstance(body[0], list):
        parts = [item for item in body if isinstance(item, list)]
        count = next(i for i, item in enumerate(body) if not isinstance(item, list))
        return ['multipart/' + body[count].decode('latin1'), *map(shape, parts[:count])]
    kind = b'/'.join(body[:2]).decode('latin1')
    inner = kind in ('message/rfc822', 'message/global')
    return [kind, shape(body[8])] if inner else [kind]


def shape_of(message):
    kind = message.get_content_type()
    parts = message.get_payload()
    if message.get_content_maintype() == 'multipart':
        # Without one boundary line, we show the text as the only part.
        return [kind, *map(shape_of, parts)] if isinstance(parts, list) else [kind, ['text/plain']]
    return [kind, *map(shape_of, parts)] if kind in RFC822 else [kind]


RFC822 = ('message/rfc822', 'message/global')


def payloads(message, path=''):
    """(path, octets) of each leaf that Python keeps as it was."""
    parts = message._payload  # get_payload() would decode 8-bit text
    kind = message.get_content_type()
    if not isinstance(parts, list):
        yield path or '1', parts.encode('ascii', 'surrogateescape')
    elif message.get_content_maintype() == 'multipart':
        for i, part in enumerate(parts):
            yield from payloads(part, f'{path}.{i + 1}' if path else str(i + 1))
    elif kind in RFC822:
        inner = parts[0]
        below = path or '1'
        is_leaf = not isinstance(inner.get_payload(), list) or inner.get_content_type() in RFC822
        yield from payloads(inner, f'{below}.1' if is_leaf else below)


def field(message, name):
    """A field's octets, unfolded and trimmed as ENVELOPE has them."""
    value = next((v for k, v in message.raw_items() if k.lower() == name), None)
    if value is None:
        return None
    octets = str(value).encode('utf-8', 'surrogateescape')
    return re.sub(rb'\r?\n(?=[ \t])', b'', octets).strip(b' \t')


def addresses(message, name):
    value = field(message, name)
    if value is None:
        return []
    pairs = email.utils.getaddresses([value.decode('latin1')])
    return [address for _, address in pairs if '@' in address]


def ours(list_):
    flat = [a for a in list_ or [] if a[2] is not None and a[3]]
    return [(a[2] + b'@' + a[3]).decode('latin1') for a in flat]


def main():
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    client = imaplib.IMAP4_SSL('127.0.0.1', int(port), ssl_context=context)
    client.login(user, password)
    count = int(client.select(mailbox, readonly=True)[1][0])
    report = {'messages': count, 'parts': 0, 'faults': [], 'differences': [], 'headersCut': 0}

    def fetch(number, items):
        status, data = client.fetch(str(number), f'({items})')
        check(status == 'OK', status, data)
        (answer,) = [item for item in tree(tokens(data)) if isinstance(item, list)]
        return {str(answer[i]).upper(): answer[i + 1] for i in range(0, len(answer), 2)}

    for number in range(1, count + 1):
        try:
            one(number, fetch, report)
        except AssertionError as fault:
            report['faults'].append([number, repr(fault)])
    client.logout()
    json.dump(report, sys.stdout)


def one(number, fetch, report):
    def fault(condition, *what):
        if not condition:
            report['faults'].append([number, *map(repr, what)])

    def same(what, mine, theirs):
        if mine != theirs:
            report['differences'].append([number, what, repr(mine), repr(theirs)])

    got = fetch(
        number,
        'RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] '
        'BODY.PEEK[1] BODY.PEEK[]<0.100> BODY.PEEK[]<90.1000> BODY.PEEK[TEXT]<7.50> '
        'BODY.PEEK[HEADER.FIELDS (SUBJECT TO)] BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT TO)]',
    )
    octets, text = got['BODY[]'], got['BODY[TEXT]']
    fault(got['RFC822.SIZE'] == len(octets), 'size', got['RFC822.SIZE'])
    fault(got['BODY[HEADER]'] + text == octets, 'header and text')
    fault(got['BODY[]<0>'] == octets[:100], 'partial', got['BODY[]<0>'])
    fault(got['BODY[]<90>'] == octets[90:1090], 'partial', got['BODY[]<90>'])
    fault(got['BODY[TEXT]<7>'] == text[7:57], 'partial of text', got['BODY[TEXT]<7>'])
    if re.match(rb'(?:>?From |[!-9;-~]+[ \t]*:)', octets):
        end = re.search(rb'(?:\A|\n)\r?\n', octets)
        fault(got['BODY[HEADER]'] == octets[: end.end() if end else None], 'header')
        picked = [value for key, value in got.items() if key.startswith('BODY[HEADER.FIELDS')]
        lines = [field_lines(part) for part in picked]
        fault(sorted(sum(lines, [])) == sorted(field_lines(got['BODY[HEADER]'])), 'fields', lines)
    envelope(got['ENVELOPE'])
    structure = got['BODYSTRUCTURE']
    is_multipart = isinstance(structure[0], list)
    fault(is_multipart or got['BODY[1]'] == text, 'BODY[1] of one part is its text')
    parts(number, fetch, fault, structure, octets, report)

    theirs = email.message_from_bytes(octets)
    if any(isinstance(d, email.errors.MissingHeaderBodySeparatorDefect) for d in theirs.defects):
        report['headersCut'] += 1
        return
    same('structure', shape(structure), shape_of(theirs))
    mine = got['ENVELOPE']
    for index, name in ((0, 'date'), (1, 'subject'), (8, 'in-reply-to'), (9, 'message-id')):
        same(name, mine[index], field(theirs, name))
    for index, name in ((2, 'from'), (5, 'to'), (6, 'cc')):
        same(name, ours(mine[index]), addresses(theirs, name))
    for path, payload in payloads(theirs):
        body = fetch(number, f'BODY.PEEK[{path}]')[f'BODY[{path}]']
        # Where no boundary line ends the last part, Python takes its line end all the same.
        is_cut = body in (payload + b'\n', payload + b'\r\n') and octets.endswith(body)
        same(f'part {path}', payload if is_cut else body, payload)


def field_lines(header):
    """The lines of fields; an mbox line and other garbage is none, and what continues it."""
    kept, is_field = [], False
    for line in header.split(b'\n'):
        if line[:1] not in (b' ', b'\t'):
            is_field = b':' in line
        if is_field:
            kept.append(line.rstrip(b'\r'))
    return kept


def parts(number, fetch, fault, structure, octets, report):
    """Every part has the stated octets and lines, and lies in the message."""
    found = list(leaves(structure))
    report['parts'] += len(found)
    for path, kind, size, lines, inner in found:
        items = [f'BODY.PEEK[{path}]', f'BODY.PEEK[{path}.MIME]']
        if inner is not None:
            items += [f'BODY.PEEK[{path}.HEADER]', f'BODY.PEEK[{path}.TEXT]']
        got = fetch(number, ' '.join(items))
        body, mime = got[f'BODY[{path}]'], got[f'BODY[{path}.MIME]']
        fault(body is not None and len(body) == size, 'octets of', path, size)
        if isinstance(structure[0], list):
            fault(mime + body in octets, 'a part that is no slice', path)
        if lines is not None:
            counted = body.count(b'\n') + (1 if body and not body.endswith(b'\n') else 0)
            fault(counted == lines, 'lines of', path, lines, counted)
        if inner is not None:
            both = got[f'BODY[{path}.HEADER]'] + got[f'BODY[{path}.TEXT]']
            fault(both == body, 'header and text of', path)


main()
