/*
 * fn_url.c
 *		UrlPart of formulas: the components of a URL.
 *
 * A URL is taken apart as RFC 3986 writes it,
 *
 *		scheme://userinfo@host:port/path?query#fragment
 *
 * by its separators alone: nothing is decoded, and nothing is refused.  All
 * separators are ASCII, which is safe in every encoding of a database.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "compat.h"

/* A piece of the given text; "at" is NULL where the URL has none. */
typedef struct UrlPiece
{
	const char *at;
	const char *end;
} UrlPiece;

typedef struct Url
{
	UrlPiece	scheme;
	UrlPiece	authority;
	UrlPiece	userinfo;
	UrlPiece	host;
	UrlPiece	port;
	UrlPiece	path;
	UrlPiece	query;
	UrlPiece	fragment;
} Url;

static void split_url(Url *url, const char *at, const char *end);
static bool in_scheme(char c, bool first);
static void split_authority(Url *url);
static const char *find_byte(const char *at, const char *end, char byte);
static UrlPiece *piece_named(Url *url, const char *name);

PG_FUNCTION_INFO_V1(fn_urlpart);

/* (component, url) -> that part of it; NULL where it has none, and for unknown components. */
Datum
fn_urlpart(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(1);
	Url			url;
	UrlPiece   *piece;

	memset(&url, 0, sizeof(url));
	split_url(&url, VARDATA_ANY(given), VARDATA_ANY(given) + VARSIZE_ANY_EXHDR(given));
	piece = piece_named(&url, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (piece == NULL || piece->at == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(piece->at, piece->end - piece->at));
}

/* From the end: fragment, query; then from the begin: scheme, authority.  The rest is the path. */
static void
split_url(Url *url, const char *at, const char *end)
{
	const char *found = find_byte(at, end, '#');
	const char *c;

	if (found != NULL)
	{
		url->fragment = (UrlPiece) {found + 1, end};
		end = found;
	}
	found = find_byte(at, end, '?');
	if (found != NULL)
	{
		url->query = (UrlPiece) {found + 1, end};
		end = found;
	}

	for (c = at; c < end && in_scheme(*c, c == at); c++)
		;
	if (c > at && c < end && *c == ':')
	{
		url->scheme = (UrlPiece) {at, c};
		at = c + 1;
	}
	if (end - at >= 2 && at[0] == '/' && at[1] == '/')
	{
		at += 2;
		found = find_byte(at, end, '/');
		url->authority = (UrlPiece) {at, found == NULL ? end : found};
		split_authority(url);
		at = url->authority.end;
	}
	url->path = (UrlPiece) {at, end};
}

/* May the byte stand in a scheme?  Letters, behind the first also digits and + - . */
static bool
in_scheme(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return !first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
}

/* The user before the last "@", the port behind the ":" that follows the host, which may be in brackets. */
static void
split_authority(Url *url)
{
	const char *at = url->authority.at;
	const char *end = url->authority.end;
	const char *c;

	for (c = end; c > at && c[-1] != '@'; c--)
		;
	if (c > at)
	{
		url->userinfo = (UrlPiece) {at, c - 1};
		at = c;
	}
	c = at < end && *at == '[' ? find_byte(at, end, ']') : NULL;
	c = find_byte(c == NULL ? at : c, end, ':');
	url->host = (UrlPiece) {at, c == NULL ? end : c};
	if (c != NULL && c + 1 < end)
		url->port = (UrlPiece) {c + 1, end};
}

static const char *
find_byte(const char *at, const char *end, char byte)
{
	return at < end ? memchr(at, byte, end - at) : NULL;
}

/* By a component's name in any case. */
static UrlPiece *
piece_named(Url *url, const char *name)
{
	const struct
	{
		const char *name;
		UrlPiece   *piece;
	}			pieces[] = {
		{"scheme", &url->scheme}, {"authority", &url->authority}, {"userinfo", &url->userinfo},
		{"host", &url->host}, {"port", &url->port}, {"path", &url->path}, {"query", &url->query},
		{"fragment", &url->fragment},
	};
	int			i;

	for (i = 0; i < lengthof(pieces); i++)
		if (pg_strcasecmp(name, pieces[i].name) == 0)
			return pieces[i].piece;
	return NULL;
}
