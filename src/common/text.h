/*
 * text.h
 *		Texts for people: put together, and brought to one line.
 */
#ifndef SIGMA_TEXT_H
#define SIGMA_TEXT_H

#include "postgres.h"

#include <stdarg.h>

/* psprintf() for functions that take "..." themselves. */
extern char *sigma_text_format(const char *format, va_list args) pg_attribute_printf(1, 0);

/* A copy on one line, of so many characters at the most and then "...". */
extern char *sigma_text_line(const char *text, int characters);

#endif							/* SIGMA_TEXT_H */
