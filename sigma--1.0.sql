/* sigma--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION sigma" to load this file. \quit

-- The sections follow the folders of src/: common, formula, input_table, layout, action.
-- Nothing is granted to PUBLIC: functions lose their default EXECUTE at the end
-- of this script, tables never had a default grant.

------------------------------------------------------------------------------
-- Schemas
------------------------------------------------------------------------------

-- What the catalog makes outlives the extension, so its schemas are not
-- members of it.  An existing schema is taken only from who may drop it.
DO $$
DECLARE
    wanted name;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['sigds', 'sigma_views'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = wanted) THEN
            EXECUTE pg_catalog.format('CREATE SCHEMA %I', wanted);
            EXECUTE pg_catalog.format('ALTER EXTENSION sigma DROP SCHEMA %I', wanted);
        ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace
                          WHERE nspname = wanted
                            AND pg_catalog.pg_has_role(current_user, nspowner, 'USAGE')) THEN
            RAISE EXCEPTION 'schema "%" exists and belongs to another role', wanted
                USING ERRCODE = '42501',
                      HINT = 'Drop or rename the schema, or give it to the role that installs sigma.';
        END IF;
    END LOOP;
END
$$;
COMMENT ON SCHEMA sigds IS 'data tables and edit logs of sigma''s input tables';
COMMENT ON SCHEMA sigma_views IS 'one view per input table of sigma: published rows under display names';

------------------------------------------------------------------------------
-- Types
------------------------------------------------------------------------------

CREATE DOMAIN sigma.variant AS jsonb;
COMMENT ON DOMAIN sigma.variant IS 'a value of any type, as Snowflake names it';

CREATE DOMAIN sigma.timestamp_ntz AS timestamp;
COMMENT ON DOMAIN sigma.timestamp_ntz IS 'a timestamp without time zone, as Snowflake names it; the catalog''s are in UTC';

------------------------------------------------------------------------------
-- The catalog: its leading columns are those of the SIGDS tables
------------------------------------------------------------------------------

CREATE TABLE sigma.sigma_input_tables (
    id varchar(255) CONSTRAINT sigma_input_tables_pkey PRIMARY KEY,
    type varchar(50),
    columns jsonb,
    data_entry_permission varchar(50),
    validation_rules jsonb,
    governance_config jsonb,
    max_rows integer,
    allow_bulk_operations boolean DEFAULT true,
    created_at sigma.timestamp_ntz,
    updated_at sigma.timestamp_ntz,
    name text,
    metadata jsonb,
    status text DEFAULT 'active',
    row_rules jsonb,
    source text,
    key_columns jsonb,
    linked_columns jsonb
);
COMMENT ON TABLE sigma.sigma_input_tables IS 'input tables: an INSERT creates the data table, an UPDATE of columns alters it';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_input_tables', '');

CREATE TABLE sigma.sigma_layout_elements (
    id varchar(255) CONSTRAINT sigma_layout_elements_pkey PRIMARY KEY,
    type varchar(50),
    config jsonb,
    parent_id varchar(255),
    children jsonb,
    nesting_level integer DEFAULT 0,
    created_at sigma.timestamp_ntz,
    name text,
    metadata jsonb,
    status text DEFAULT 'active',
    updated_at sigma.timestamp_ntz,
    "position" integer
);
COMMENT ON TABLE sigma.sigma_layout_elements IS 'layout elements: pages, containers, tabs, modals and what stands in them';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_layout_elements', '');

CREATE TABLE sigma.sigma_actions (
    id varchar(255) CONSTRAINT sigma_actions_pkey PRIMARY KEY,
    type varchar(50),
    subtype varchar(100),
    target varchar(255),
    parameters jsonb,
    conditions jsonb,
    created_at sigma.timestamp_ntz,
    name text,
    metadata jsonb,
    status text DEFAULT 'active',
    updated_at sigma.timestamp_ntz,
    description text,
    output_variable text,
    error_handling text,
    retry jsonb,
    timeout_ms integer,
    execution_count bigint,
    last_executed sigma.timestamp_ntz
);
COMMENT ON TABLE sigma.sigma_actions IS 'actions that sequences use by id';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_actions', '');

CREATE TABLE sigma.sigma_action_sequences (
    id varchar(255) CONSTRAINT sigma_action_sequences_pkey PRIMARY KEY,
    name varchar(255),
    trigger jsonb,
    condition jsonb,
    actions jsonb,
    stop_on_error boolean DEFAULT true,
    timeout_ms integer DEFAULT 30000,
    is_paused boolean DEFAULT false,
    created_at sigma.timestamp_ntz,
    metadata jsonb,
    status text DEFAULT 'active',
    updated_at sigma.timestamp_ntz,
    execution_config jsonb,
    execution_count bigint,
    last_executed sigma.timestamp_ntz
);
COMMENT ON TABLE sigma.sigma_action_sequences IS 'action sequences: what a trigger runs, in order';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_action_sequences', '');

CREATE TABLE sigma.sigma_variables (
    id varchar(255) CONSTRAINT sigma_variables_pkey PRIMARY KEY,
    name varchar(255),
    kind varchar(50),
    type varchar(50),
    value jsonb,
    default_value jsonb,
    scope varchar(50),
    metadata jsonb,
    status text DEFAULT 'active',
    created_at sigma.timestamp_ntz,
    updated_at sigma.timestamp_ntz
);
COMMENT ON TABLE sigma.sigma_variables IS 'controls and workbook variables';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_variables', '');

CREATE TABLE sigma.sigma_execution_history (
    execution_id varchar(255) CONSTRAINT sigma_execution_history_pkey PRIMARY KEY,
    sequence_id varchar(255),
    action_id varchar(255),
    action_type varchar(50),
    start_time sigma.timestamp_ntz,
    end_time sigma.timestamp_ntz,
    context jsonb,
    result jsonb,
    status varchar(50),
    error_message text,
    name text,
    metadata jsonb,
    updated_at sigma.timestamp_ntz,
    reason text,
    user_id text,
    role name,
    rows_changed bigint,
    idempotency_key text
);
COMMENT ON TABLE sigma.sigma_execution_history IS 'one row per run of a sequence or action, failed and skipped ones too';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_execution_history', '');

CREATE INDEX sigma_input_tables_type ON sigma.sigma_input_tables (type);
CREATE INDEX sigma_input_tables_status ON sigma.sigma_input_tables (status);
CREATE INDEX sigma_input_tables_name ON sigma.sigma_input_tables (name);
-- no two input tables share a data table or a display name; the trigger says so in better words
CREATE UNIQUE INDEX sigma_input_tables_relation ON sigma.sigma_input_tables
    (pg_catalog.regexp_replace(pg_catalog.lower(id COLLATE "C"), '[^a-z0-9_]' COLLATE "C", '_', 'g'));
CREATE UNIQUE INDEX sigma_input_tables_display ON sigma.sigma_input_tables (coalesce(name, id));
CREATE INDEX sigma_layout_elements_type ON sigma.sigma_layout_elements (type);
CREATE INDEX sigma_layout_elements_status ON sigma.sigma_layout_elements (status);
CREATE INDEX sigma_layout_elements_parent_id ON sigma.sigma_layout_elements (parent_id, "position");
CREATE INDEX sigma_layout_elements_name ON sigma.sigma_layout_elements (name);
CREATE INDEX sigma_actions_type ON sigma.sigma_actions (type);
CREATE INDEX sigma_actions_status ON sigma.sigma_actions (status);
CREATE INDEX sigma_actions_name ON sigma.sigma_actions (name);
CREATE INDEX sigma_action_sequences_status ON sigma.sigma_action_sequences (status);
CREATE INDEX sigma_action_sequences_name ON sigma.sigma_action_sequences (name);
CREATE INDEX sigma_variables_type ON sigma.sigma_variables (type);
CREATE INDEX sigma_variables_status ON sigma.sigma_variables (status);
CREATE INDEX sigma_variables_name ON sigma.sigma_variables (name);
CREATE INDEX sigma_execution_history_sequence ON sigma.sigma_execution_history (sequence_id, start_time);
CREATE INDEX sigma_execution_history_status ON sigma.sigma_execution_history (status);
CREATE INDEX sigma_execution_history_start ON sigma.sigma_execution_history (start_time);
-- one run per sequence, or action, and key
CREATE UNIQUE INDEX sigma_execution_history_key ON sigma.sigma_execution_history (idempotency_key, sequence_id, action_id)
    NULLS NOT DISTINCT WHERE idempotency_key IS NOT NULL;

------------------------------------------------------------------------------
-- common: documents
------------------------------------------------------------------------------

CREATE FUNCTION sigma.check_document(kind text, doc jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.check_document(text, jsonb) IS 'the canonical form of a document, or an error with its path; creates nothing';

CREATE FUNCTION sigma.element_types(search text = NULL)
    RETURNS TABLE (type text, setting text, value_type text, required bool, default_value jsonb, allowed jsonb, description text)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.element_types(text) IS 'types of layout elements and their settings, those that contain the text';

CREATE FUNCTION sigma.action_types(search text = NULL)
    RETURNS TABLE (type text, subtype text, parameter text, value_type text, required bool, default_value jsonb, description text)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.action_types(text) IS 'types of actions and their parameters, those that contain the text';

------------------------------------------------------------------------------
-- formula
------------------------------------------------------------------------------

CREATE TYPE sigma.formula;

CREATE FUNCTION sigma.formula_in(cstring) RETURNS sigma.formula
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_in(cstring) IS 'I/O';
CREATE FUNCTION sigma.formula_out(sigma.formula) RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_out(sigma.formula) IS 'I/O';
CREATE FUNCTION sigma.formula_recv(internal) RETURNS sigma.formula
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_recv(internal) IS 'I/O';
CREATE FUNCTION sigma.formula_send(sigma.formula) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_send(sigma.formula) IS 'I/O';

CREATE TYPE sigma.formula (
    INPUT = sigma.formula_in, OUTPUT = sigma.formula_out,
    RECEIVE = sigma.formula_recv, SEND = sigma.formula_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended);
COMMENT ON TYPE sigma.formula IS 'an expression in the formula language, shown in canonical form';

CREATE CAST (text AS sigma.formula) WITH INOUT;
COMMENT ON CAST (text AS sigma.formula) IS 'parses the formula';
CREATE CAST (sigma.formula AS text) WITH INOUT;
COMMENT ON CAST (sigma.formula AS text) IS 'the canonical text';

CREATE FUNCTION sigma.formula_eq(sigma.formula, sigma.formula) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_eq(sigma.formula, sigma.formula) IS 'implementation of = operator';
CREATE FUNCTION sigma.formula_ne(sigma.formula, sigma.formula) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_ne(sigma.formula, sigma.formula) IS 'implementation of <> operator';
CREATE FUNCTION sigma.formula_lt(sigma.formula, sigma.formula) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_lt(sigma.formula, sigma.formula) IS 'implementation of < operator';
CREATE FUNCTION sigma.formula_le(sigma.formula, sigma.formula) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_le(sigma.formula, sigma.formula) IS 'implementation of <= operator';
CREATE FUNCTION sigma.formula_gt(sigma.formula, sigma.formula) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_gt(sigma.formula, sigma.formula) IS 'implementation of > operator';
CREATE FUNCTION sigma.formula_ge(sigma.formula, sigma.formula) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_ge(sigma.formula, sigma.formula) IS 'implementation of >= operator';
CREATE FUNCTION sigma.formula_cmp(sigma.formula, sigma.formula) RETURNS int
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_cmp(sigma.formula, sigma.formula) IS 'less-equal-greater, by the stored bytes';
CREATE FUNCTION sigma.formula_hash(sigma.formula) RETURNS int
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_hash(sigma.formula) IS 'hash';
CREATE FUNCTION sigma.formula_hash_extended(sigma.formula, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.formula_hash_extended(sigma.formula, bigint) IS 'hash';

CREATE OPERATOR sigma.= (
    LEFTARG = sigma.formula, RIGHTARG = sigma.formula, FUNCTION = sigma.formula_eq,
    COMMUTATOR = OPERATOR(sigma.=), NEGATOR = OPERATOR(sigma.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR sigma.= (sigma.formula, sigma.formula) IS 'equal: the same canonical text';
CREATE OPERATOR sigma.<> (
    LEFTARG = sigma.formula, RIGHTARG = sigma.formula, FUNCTION = sigma.formula_ne,
    COMMUTATOR = OPERATOR(sigma.<>), NEGATOR = OPERATOR(sigma.=),
    RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR sigma.<> (sigma.formula, sigma.formula) IS 'not equal';
CREATE OPERATOR sigma.< (
    LEFTARG = sigma.formula, RIGHTARG = sigma.formula, FUNCTION = sigma.formula_lt,
    COMMUTATOR = OPERATOR(sigma.>), NEGATOR = OPERATOR(sigma.>=),
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR sigma.< (sigma.formula, sigma.formula) IS 'less than, in an order without meaning';
CREATE OPERATOR sigma.<= (
    LEFTARG = sigma.formula, RIGHTARG = sigma.formula, FUNCTION = sigma.formula_le,
    COMMUTATOR = OPERATOR(sigma.>=), NEGATOR = OPERATOR(sigma.>),
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR sigma.<= (sigma.formula, sigma.formula) IS 'less than or equal, in an order without meaning';
CREATE OPERATOR sigma.> (
    LEFTARG = sigma.formula, RIGHTARG = sigma.formula, FUNCTION = sigma.formula_gt,
    COMMUTATOR = OPERATOR(sigma.<), NEGATOR = OPERATOR(sigma.<=),
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR sigma.> (sigma.formula, sigma.formula) IS 'greater than, in an order without meaning';
CREATE OPERATOR sigma.>= (
    LEFTARG = sigma.formula, RIGHTARG = sigma.formula, FUNCTION = sigma.formula_ge,
    COMMUTATOR = OPERATOR(sigma.<=), NEGATOR = OPERATOR(sigma.<),
    RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR sigma.>= (sigma.formula, sigma.formula) IS 'greater than or equal, in an order without meaning';

CREATE OPERATOR FAMILY sigma.formula_ops USING btree;
COMMENT ON OPERATOR FAMILY sigma.formula_ops USING btree IS 'order of formulas by their stored bytes';
CREATE OPERATOR CLASS sigma.formula_ops DEFAULT FOR TYPE sigma.formula USING btree FAMILY sigma.formula_ops AS
    OPERATOR 1 sigma.<, OPERATOR 2 sigma.<=, OPERATOR 3 sigma.=, OPERATOR 4 sigma.>=, OPERATOR 5 sigma.>,
    FUNCTION 1 sigma.formula_cmp(sigma.formula, sigma.formula),
    FUNCTION 4 (sigma.formula, sigma.formula) pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS sigma.formula_ops USING btree IS 'order of formulas by their stored bytes';

CREATE OPERATOR FAMILY sigma.formula_ops USING hash;
COMMENT ON OPERATOR FAMILY sigma.formula_ops USING hash IS 'equality of formulas';
CREATE OPERATOR CLASS sigma.formula_ops DEFAULT FOR TYPE sigma.formula USING hash FAMILY sigma.formula_ops AS
    OPERATOR 1 sigma.=,
    FUNCTION 1 sigma.formula_hash(sigma.formula),
    FUNCTION 2 sigma.formula_hash_extended(sigma.formula, bigint);
COMMENT ON OPERATOR CLASS sigma.formula_ops USING hash IS 'equality of formulas';

-- What the compiler puts around values.
CREATE FUNCTION sigma.fn_int4(int8) RETURNS int4
    AS 'MODULE_PATHNAME', 'fn_int4_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_int4(int8) IS 'the nearest int4: rounded, out of range the last one';
CREATE FUNCTION sigma.fn_int4(float8) RETURNS int4
    AS 'MODULE_PATHNAME', 'fn_int4_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_int4(float8) IS 'the nearest int4: rounded, out of range the last one';
CREATE FUNCTION sigma.fn_int4(numeric) RETURNS int4
    AS 'MODULE_PATHNAME', 'fn_int4_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_int4(numeric) IS 'the nearest int4: rounded, out of range the last one';
CREATE FUNCTION sigma.fn_int8(float8) RETURNS int8
    AS 'MODULE_PATHNAME', 'fn_int8_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_int8(float8) IS 'the nearest int8: rounded, out of range the last one';
CREATE FUNCTION sigma.fn_int8(numeric) RETURNS int8
    AS 'MODULE_PATHNAME', 'fn_int8_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_int8(numeric) IS 'the nearest int8: rounded, out of range the last one';
CREATE FUNCTION sigma.fn_nonzero(int8) RETURNS int8
    AS 'MODULE_PATHNAME', 'fn_nonzero_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_nonzero(int8) IS 'the divisor, Null for 0';
CREATE FUNCTION sigma.fn_nonzero(float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'fn_nonzero_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_nonzero(float8) IS 'the divisor, Null for 0';
CREATE FUNCTION sigma.fn_nonzero(numeric) RETURNS numeric
    AS 'MODULE_PATHNAME', 'fn_nonzero_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_nonzero(numeric) IS 'the divisor, Null for 0';

CREATE FUNCTION sigma.formula_sql(f sigma.formula, source regclass DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'formula_sql' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.formula_sql(sigma.formula, regclass) IS 'the SQL of a formula over a row of a relation';

CREATE FUNCTION sigma.functions(search text = NULL)
    RETURNS TABLE (name text, signature text, category text, description text, example text)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.functions(text) IS 'functions of the formula language, those that contain the text in name, category or description';

-- mathematical functions of formulas

CREATE FUNCTION sigma.fn_round(n numeric, digits int) RETURNS numeric
    AS 'MODULE_PATHNAME', 'fn_round_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_round(numeric, int) IS 'Round of formulas: rounds half away from zero';
CREATE FUNCTION sigma.fn_round(n float8, digits int) RETURNS float8
    AS 'MODULE_PATHNAME', 'fn_round_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_round(float8, int) IS 'Round of formulas: rounds half away from zero';
CREATE FUNCTION sigma.fn_round(n bigint, digits int) RETURNS bigint
    AS 'MODULE_PATHNAME', 'fn_round_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_round(bigint, int) IS 'Round of formulas: rounds half away from zero';
CREATE FUNCTION sigma.fn_round(n int, digits int) RETURNS bigint
    AS 'MODULE_PATHNAME', 'fn_round_int4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_round(int, int) IS 'Round of formulas: rounds half away from zero';
CREATE FUNCTION sigma.fn_roundup(n numeric, digits int) RETURNS numeric
    AS 'MODULE_PATHNAME', 'fn_roundup_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_roundup(numeric, int) IS 'RoundUp of formulas: rounds towards plus infinity';
CREATE FUNCTION sigma.fn_roundup(n float8, digits int) RETURNS float8
    AS 'MODULE_PATHNAME', 'fn_roundup_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_roundup(float8, int) IS 'RoundUp of formulas: rounds towards plus infinity';
CREATE FUNCTION sigma.fn_roundup(n bigint, digits int) RETURNS bigint
    AS 'MODULE_PATHNAME', 'fn_roundup_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_roundup(bigint, int) IS 'RoundUp of formulas: rounds towards plus infinity';
CREATE FUNCTION sigma.fn_roundup(n int, digits int) RETURNS bigint
    AS 'MODULE_PATHNAME', 'fn_roundup_int4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_roundup(int, int) IS 'RoundUp of formulas: rounds towards plus infinity';
CREATE FUNCTION sigma.fn_rounddown(n numeric, digits int) RETURNS numeric
    AS 'MODULE_PATHNAME', 'fn_rounddown_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_rounddown(numeric, int) IS 'RoundDown, Int of formulas: rounds towards minus infinity';
CREATE FUNCTION sigma.fn_rounddown(n float8, digits int) RETURNS float8
    AS 'MODULE_PATHNAME', 'fn_rounddown_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_rounddown(float8, int) IS 'RoundDown, Int of formulas: rounds towards minus infinity';
CREATE FUNCTION sigma.fn_rounddown(n bigint, digits int) RETURNS bigint
    AS 'MODULE_PATHNAME', 'fn_rounddown_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_rounddown(bigint, int) IS 'RoundDown, Int of formulas: rounds towards minus infinity';
CREATE FUNCTION sigma.fn_rounddown(n int, digits int) RETURNS bigint
    AS 'MODULE_PATHNAME', 'fn_rounddown_int4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_rounddown(int, int) IS 'RoundDown, Int of formulas: rounds towards minus infinity';
CREATE FUNCTION sigma.fn_trunc(n numeric, digits int) RETURNS numeric
    AS 'MODULE_PATHNAME', 'fn_trunc_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_trunc(numeric, int) IS 'Trunc of formulas: rounds towards zero';
CREATE FUNCTION sigma.fn_trunc(n float8, digits int) RETURNS float8
    AS 'MODULE_PATHNAME', 'fn_trunc_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_trunc(float8, int) IS 'Trunc of formulas: rounds towards zero';
CREATE FUNCTION sigma.fn_trunc(n bigint, digits int) RETURNS bigint
    AS 'MODULE_PATHNAME', 'fn_trunc_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_trunc(bigint, int) IS 'Trunc of formulas: rounds towards zero';
CREATE FUNCTION sigma.fn_trunc(n int, digits int) RETURNS bigint
    AS 'MODULE_PATHNAME', 'fn_trunc_int4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_trunc(int, int) IS 'Trunc of formulas: rounds towards zero';
CREATE FUNCTION sigma.fn_ceiling(n numeric, factor numeric) RETURNS numeric
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_ceiling(numeric, numeric) IS 'Ceiling of formulas: rounds up to a multiple, NULL for factor 0';
CREATE FUNCTION sigma.fn_floor(n numeric, factor numeric) RETURNS numeric
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_floor(numeric, numeric) IS 'Floor of formulas: rounds down to a multiple, NULL for factor 0';
CREATE FUNCTION sigma.fn_mround(n numeric, factor numeric) RETURNS numeric
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_mround(numeric, numeric) IS 'MRound of formulas: rounds to the nearest multiple, NULL for factor 0';
CREATE FUNCTION sigma.fn_sqrt(n float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_sqrt(float8) IS 'Sqrt of formulas: NULL below 0';
CREATE FUNCTION sigma.fn_ln(n float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_ln(float8) IS 'Ln of formulas: NULL for 0 and below';
CREATE FUNCTION sigma.fn_log(n float8, base float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_log(float8, float8) IS 'Log of formulas: NULL where there is none';
CREATE FUNCTION sigma.fn_power(n float8, exponent float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_power(float8, float8) IS 'Power of formulas: NULL where there is none';
CREATE FUNCTION sigma.fn_cot(angle float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_cot(float8) IS 'Cot of formulas: NULL for 0';
CREATE FUNCTION sigma.fn_acos(n float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_acos(float8) IS 'Acos of formulas: NULL outside -1 to 1';
CREATE FUNCTION sigma.fn_asin(n float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_asin(float8) IS 'Asin of formulas: NULL outside -1 to 1';
CREATE FUNCTION sigma.fn_div(a numeric, b numeric) RETURNS numeric
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_div(numeric, numeric) IS 'Div of formulas: the integer part of the quotient, NULL for divisor 0';
CREATE FUNCTION sigma.fn_iseven(n numeric) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_iseven_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_iseven(numeric) IS 'IsEven of formulas: is the integer part even?';
CREATE FUNCTION sigma.fn_iseven(n float8) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_iseven_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_iseven(float8) IS 'IsEven of formulas: is the integer part even?';
CREATE FUNCTION sigma.fn_iseven(n bigint) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_iseven_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_iseven(bigint) IS 'IsEven of formulas: is the integer part even?';
CREATE FUNCTION sigma.fn_isodd(n numeric) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_isodd_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_isodd(numeric) IS 'IsOdd of formulas: is the remainder of the integer part by two 1?';
CREATE FUNCTION sigma.fn_isodd(n float8) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_isodd_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_isodd(float8) IS 'IsOdd of formulas: is the remainder of the integer part by two 1?';
CREATE FUNCTION sigma.fn_isodd(n bigint) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_isodd_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_isodd(bigint) IS 'IsOdd of formulas: is the remainder of the integer part by two 1?';
CREATE FUNCTION sigma.fn_binfixed(value numeric, low numeric, high numeric, bins int) RETURNS int
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_binfixed(numeric, numeric, numeric, int) IS 'BinFixed of formulas: the number of the bin of equal width';
CREATE FUNCTION sigma.fn_distanceglobe(lat1 float8, lon1 float8, lat2 float8, lon2 float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_distanceglobe(float8, float8, float8, float8) IS 'DistanceGlobe of formulas: kilometres from degrees';
CREATE FUNCTION sigma.fn_distanceplane(x1 float8, y1 float8, x2 float8, y2 float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_distanceplane(float8, float8, float8, float8) IS 'DistancePlane of formulas';

-- functions of formulas on texts

CREATE FUNCTION sigma.fn_concat(texts text[]) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_concat(text[]) IS 'Concat of formulas: NULL where a text is';
CREATE FUNCTION sigma.fn_textjoin(separator text, texts text[]) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_textjoin(text, text[]) IS 'TextJoin of formulas: NULL counts as empty';
CREATE FUNCTION sigma.fn_contains(text text, parts text[]) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_contains(text, text[]) IS 'Contains of formulas: does one of the parts occur?';
CREATE FUNCTION sigma.fn_endswith(text text, part text) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_endswith(text, text) IS 'EndsWith of formulas';
CREATE FUNCTION sigma.fn_right(text text, n int) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_right(text, int) IS 'Right of formulas';
CREATE FUNCTION sigma.fn_mid(text text, start int) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_mid_rest' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_mid(text, int) IS 'Mid, Substring of formulas: the rest of the text';
CREATE FUNCTION sigma.fn_mid(text text, start int, length int) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_mid(text, int, int) IS 'Mid, Substring of formulas: nothing for a negative length';
CREATE FUNCTION sigma.fn_lpad(text text, length int, fill text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_lpad(text, int, text) IS 'LPad of formulas';
CREATE FUNCTION sigma.fn_rpad(text text, length int, fill text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_rpad(text, int, text) IS 'RPad of formulas';
CREATE FUNCTION sigma.fn_repeat(text text, n int) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_repeat(text, int) IS 'Repeat of formulas: NULL for less than once';
CREATE FUNCTION sigma.fn_splitpart(text text, delimiter text, place int) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_splitpart(text, text, int) IS 'SplitPart of formulas: NULL for place 0';
CREATE FUNCTION sigma.fn_regexpextract(text text, pattern text, place int) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_regexpextract(text, text, int) IS 'RegexpExtract of formulas: the match or its first group';
CREATE FUNCTION sigma.fn_sha256(text text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_sha256(text) IS 'SHA256 of formulas';
CREATE FUNCTION sigma.fn_urlpart(component text, url text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_urlpart(text, text) IS 'UrlPart of formulas: a component of a URL, NULL where it has none';

-- financial functions of formulas

CREATE FUNCTION sigma.fn_fv(rate float8, periods float8, payment float8, present_value float8, type float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_fv(float8, float8, float8, float8, float8) IS 'FV of formulas: the future value';
CREATE FUNCTION sigma.fn_pv(rate float8, periods float8, payment float8, future_value float8, type float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_pv(float8, float8, float8, float8, float8) IS 'PV of formulas: the present value';
CREATE FUNCTION sigma.fn_pmt(rate float8, periods float8, present_value float8, future_value float8, type float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_pmt(float8, float8, float8, float8, float8) IS 'Pmt of formulas: the payment of a period';
CREATE FUNCTION sigma.fn_ipmt(rate float8, period float8, periods float8, present_value float8, future_value float8, type float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_ipmt(float8, float8, float8, float8, float8, float8) IS 'IPmt of formulas: the interest in a payment';
CREATE FUNCTION sigma.fn_ppmt(rate float8, period float8, periods float8, present_value float8, future_value float8, type float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_ppmt(float8, float8, float8, float8, float8, float8) IS 'PPmt of formulas: what a payment pays back';
CREATE FUNCTION sigma.fn_nper(rate float8, payment float8, present_value float8, future_value float8, type float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_nper(float8, float8, float8, float8, float8) IS 'NPer of formulas: the number of periods';
CREATE FUNCTION sigma.fn_effect(nominal float8, periods float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_effect(float8, float8) IS 'Effect of formulas: the effective rate of a year';
CREATE FUNCTION sigma.fn_nominal(effective float8, periods float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_nominal(float8, float8) IS 'Nominal of formulas: the nominal rate of a year';
CREATE FUNCTION sigma.fn_cagr(periods float8, begin_value float8, end_value float8) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_cagr(float8, float8, float8) IS 'CAGR of formulas: the growth rate of a period';

CREATE FUNCTION sigma.fn_xnpv_step(state internal, rate float8, value float8, date timestamp) RETURNS internal
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_xnpv_step(internal, float8, float8, timestamp) IS 'transition of fn_xnpv';
CREATE FUNCTION sigma.fn_xnpv_final(state internal) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_xnpv_final(internal) IS 'final function of fn_xnpv';
CREATE AGGREGATE sigma.fn_xnpv(rate float8, value float8, date timestamp) (
    SFUNC = sigma.fn_xnpv_step, STYPE = internal, FINALFUNC = sigma.fn_xnpv_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE sigma.fn_xnpv(float8, float8, timestamp) IS 'XNPV of formulas: the net present value of payments at dates';

-- functions of formulas: rows
CREATE FUNCTION sigma.fn_nth_step(state internal, value anyelement, n int4, nulls bool) RETURNS internal
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_nth_step(internal, anyelement, int4, bool) IS 'transition of fn_nth';
CREATE FUNCTION sigma.fn_nth_final(state internal, value anyelement, n int4, nulls bool) RETURNS anyelement
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_nth_final(internal, anyelement, int4, bool) IS 'final function of fn_nth';
CREATE AGGREGATE sigma.fn_nth(value anyelement, n int4, nulls bool) (
    SFUNC = sigma.fn_nth_step, STYPE = internal, FINALFUNC = sigma.fn_nth_final, FINALFUNC_EXTRA, PARALLEL = SAFE);
COMMENT ON AGGREGATE sigma.fn_nth(anyelement, int4, bool) IS 'First, Last, Nth and FillDown of formulas: the n-th value (negative: the last one), Nulls counted or not';
CREATE FUNCTION sigma.fn_output(value anyelement) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_output(anyelement) IS 'a value of any type as text, by the output function of its type';

-- functions of formulas: Date
CREATE FUNCTION sigma.fn_datefromunix(float8) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_datefromunix' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_datefromunix(float8) IS 'DateFromUnix: seconds since 1970';
CREATE FUNCTION sigma.fn_datefromunixms(float8) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_datefromunixms' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_datefromunixms(float8) IS 'DateFromUnixMs: milliseconds since 1970';
CREATE FUNCTION sigma.fn_datefromunixus(int8) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_datefromunixus' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_datefromunixus(int8) IS 'DateFromUnixUs: microseconds since 1970';
CREATE FUNCTION sigma.fn_dateadd(unit text, n int8, timestamp) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_dateadd' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_dateadd(text, int8, timestamp) IS 'DateAdd';
CREATE FUNCTION sigma.fn_datediff(unit text, timestamp, timestamp) RETURNS int8
    AS 'MODULE_PATHNAME', 'fn_datediff' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_datediff(text, timestamp, timestamp) IS 'DateDiff: unit boundaries between two dates';
CREATE FUNCTION sigma.fn_datetrunc(unit text, timestamp) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_datetrunc' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_datetrunc(text, timestamp) IS 'DateTrunc: weeks begin on Sunday';
CREATE FUNCTION sigma.fn_datepart(unit text, timestamp) RETURNS int8
    AS 'MODULE_PATHNAME', 'fn_datepart' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_datepart(text, timestamp) IS 'DatePart';
CREATE FUNCTION sigma.fn_weekdayname(timestamp) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_weekdayname' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_weekdayname(timestamp) IS 'WeekdayName, in English';
CREATE FUNCTION sigma.fn_monthname(timestamp) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_monthname' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_monthname(timestamp) IS 'MonthName, in English';
CREATE FUNCTION sigma.fn_lastday(timestamp, unit text) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_lastday' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_lastday(timestamp, text) IS 'LastDay: the last second of the unit';
CREATE FUNCTION sigma.fn_makedate(y int, mon int, d int, h int, min int, sec float8) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_makedate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_makedate(int, int, int, int, int, float8) IS 'MakeDate: NULL where there is no such day or time';
CREATE FUNCTION sigma.fn_businessdays(timestamp, timestamp) RETURNS int8
    AS 'MODULE_PATHNAME', 'fn_businessdays' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_businessdays(timestamp, timestamp) IS 'BusinessDays: Mondays to Fridays, both ends counted';
CREATE FUNCTION sigma.fn_dateformat(timestamp, format text) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_dateformat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_dateformat(timestamp, text) IS 'DateFormat';
CREATE FUNCTION sigma.fn_dateparse(text, format text) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_dateparse' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_dateparse(text, text) IS 'DateParse: NULL where the text does not follow the format';
CREATE FUNCTION sigma.fn_now() RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_now' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_now() IS 'Now: the statement''s begin in sigma.timezone';
CREATE FUNCTION sigma.fn_today() RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_today' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_today() IS 'Today: midnight of the statement''s day in sigma.timezone';
CREATE FUNCTION sigma.fn_converttimezone(timestamp, zone text) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_converttimezone' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_converttimezone(timestamp, text) IS 'ConvertTimezone, from sigma.timezone';
CREATE FUNCTION sigma.fn_converttimezone(timestamp, zone text, from_zone text) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_converttimezone' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_converttimezone(timestamp, text, text) IS 'ConvertTimezone';
CREATE FUNCTION sigma.fn_indaterange(timestamp, direction text, unit text, n int8, start int8) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_indaterange' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_indaterange(timestamp, text, text, int8, int8) IS 'InDateRange, around now';
CREATE FUNCTION sigma.fn_indaterange(timestamp, direction text, unit text, n int8, start int8, today timestamp) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_indaterange' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_indaterange(timestamp, text, text, int8, int8, timestamp) IS 'InDateRange';
CREATE FUNCTION sigma.fn_inpriordaterange(timestamp, unit text, prior text, n int8) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_inpriordaterange' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_inpriordaterange(timestamp, text, text, int8) IS 'InPriorDateRange, before now';
CREATE FUNCTION sigma.fn_inpriordaterange(timestamp, unit text, prior text, n int8, today timestamp) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_inpriordaterange' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_inpriordaterange(timestamp, text, text, int8, timestamp) IS 'InPriorDateRange';

-- functions of formulas: Type conversion, one for each type it takes
CREATE FUNCTION sigma.fn_text(text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1;
COMMENT ON FUNCTION sigma.fn_text(text) IS 'Text of a text: itself';
CREATE FUNCTION sigma.fn_text(int4) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1::pg_catalog.text;
COMMENT ON FUNCTION sigma.fn_text(int4) IS 'Text of a number';
CREATE FUNCTION sigma.fn_text(int8) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1::pg_catalog.text;
COMMENT ON FUNCTION sigma.fn_text(int8) IS 'Text of a number';
CREATE FUNCTION sigma.fn_text(numeric) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN pg_catalog.trim_scale($1)::pg_catalog.text;
COMMENT ON FUNCTION sigma.fn_text(numeric) IS 'Text of a number, without trailing zeros';
CREATE FUNCTION sigma.fn_text(float8) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_text_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_text(float8) IS 'Text of a number, without trailing zeros';
CREATE FUNCTION sigma.fn_text(bool) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1::pg_catalog.text;
COMMENT ON FUNCTION sigma.fn_text(bool) IS 'Text of a logical value';
CREATE FUNCTION sigma.fn_text(timestamp) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_text_timestamp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_text(timestamp) IS 'Text of a date: YYYY-MM-DD HH:MM:SS';
CREATE FUNCTION sigma.fn_text(jsonb) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_text_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_text(jsonb) IS 'Text of a variant: JSON without blanks, or the text it holds';
CREATE FUNCTION sigma.fn_text(text[]) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_text_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_text(text[]) IS 'Text of a list, as JSON';
CREATE FUNCTION sigma.fn_number(text) RETURNS numeric
    AS 'MODULE_PATHNAME', 'fn_number_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_number(text) IS 'Number of a text, NULL where it is none';
CREATE FUNCTION sigma.fn_number(int4) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1::pg_catalog.numeric;
COMMENT ON FUNCTION sigma.fn_number(int4) IS 'Number of a number';
CREATE FUNCTION sigma.fn_number(int8) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1::pg_catalog.numeric;
COMMENT ON FUNCTION sigma.fn_number(int8) IS 'Number of a number';
CREATE FUNCTION sigma.fn_number(numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1;
COMMENT ON FUNCTION sigma.fn_number(numeric) IS 'Number of a number: itself';
CREATE FUNCTION sigma.fn_number(float8) RETURNS numeric
    AS 'MODULE_PATHNAME', 'fn_number_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_number(float8) IS 'Number of a number, with all its digits';
CREATE FUNCTION sigma.fn_number(bool) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1::pg_catalog.int4::pg_catalog.numeric;
COMMENT ON FUNCTION sigma.fn_number(bool) IS 'Number of a logical value: 1 or 0';
CREATE FUNCTION sigma.fn_number(timestamp) RETURNS numeric
    AS 'MODULE_PATHNAME', 'fn_number_timestamp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_number(timestamp) IS 'Number of a date: whole seconds since 1970';
CREATE FUNCTION sigma.fn_number(jsonb) RETURNS numeric
    AS 'MODULE_PATHNAME', 'fn_number_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_number(jsonb) IS 'Number of a variant that is a number, a text or a logical value';
CREATE FUNCTION sigma.fn_number(text[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN NULL::pg_catalog.numeric;
COMMENT ON FUNCTION sigma.fn_number(text[]) IS 'Number of a list: NULL';
CREATE FUNCTION sigma.fn_logical(text) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_logical_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_logical(text) IS 'Logical of a text: true or false in any case, else NULL';
CREATE FUNCTION sigma.fn_logical(int4) RETURNS bool
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1 OPERATOR(pg_catalog.<>) 0;
COMMENT ON FUNCTION sigma.fn_logical(int4) IS 'Logical of a number: is it not 0?';
CREATE FUNCTION sigma.fn_logical(int8) RETURNS bool
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1 OPERATOR(pg_catalog.<>) 0;
COMMENT ON FUNCTION sigma.fn_logical(int8) IS 'Logical of a number: is it not 0?';
CREATE FUNCTION sigma.fn_logical(numeric) RETURNS bool
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1 OPERATOR(pg_catalog.<>) 0::pg_catalog.numeric;
COMMENT ON FUNCTION sigma.fn_logical(numeric) IS 'Logical of a number: is it not 0?';
CREATE FUNCTION sigma.fn_logical(float8) RETURNS bool
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1 OPERATOR(pg_catalog.<>) 0::pg_catalog.float8;
COMMENT ON FUNCTION sigma.fn_logical(float8) IS 'Logical of a number: is it not 0?';
CREATE FUNCTION sigma.fn_logical(bool) RETURNS bool
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1;
COMMENT ON FUNCTION sigma.fn_logical(bool) IS 'Logical of a logical value: itself';
CREATE FUNCTION sigma.fn_logical(timestamp) RETURNS bool
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN NULL::pg_catalog.bool;
COMMENT ON FUNCTION sigma.fn_logical(timestamp) IS 'Logical of a date: NULL';
CREATE FUNCTION sigma.fn_logical(jsonb) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_logical_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_logical(jsonb) IS 'Logical of a variant that is a logical value, a text or a number';
CREATE FUNCTION sigma.fn_logical(text[]) RETURNS bool
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN NULL::pg_catalog.bool;
COMMENT ON FUNCTION sigma.fn_logical(text[]) IS 'Logical of a list: NULL';
CREATE FUNCTION sigma.fn_date(text) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_date_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_date(text) IS 'Date of a text, NULL where it is none';
CREATE FUNCTION sigma.fn_date(int4) RETURNS timestamp
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_datefromunix($1::pg_catalog.float8);
COMMENT ON FUNCTION sigma.fn_date(int4) IS 'Date of seconds since 1970';
CREATE FUNCTION sigma.fn_date(int8) RETURNS timestamp
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_datefromunix($1::pg_catalog.float8);
COMMENT ON FUNCTION sigma.fn_date(int8) IS 'Date of seconds since 1970';
CREATE FUNCTION sigma.fn_date(numeric) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_date_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_date(numeric) IS 'Date of seconds since 1970';
CREATE FUNCTION sigma.fn_date(float8) RETURNS timestamp
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_datefromunix($1);
COMMENT ON FUNCTION sigma.fn_date(float8) IS 'Date of seconds since 1970';
CREATE FUNCTION sigma.fn_date(bool) RETURNS timestamp
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN NULL::pg_catalog.timestamp;
COMMENT ON FUNCTION sigma.fn_date(bool) IS 'Date of a logical value: NULL';
CREATE FUNCTION sigma.fn_date(timestamp) RETURNS timestamp
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1;
COMMENT ON FUNCTION sigma.fn_date(timestamp) IS 'Date of a date: itself';
CREATE FUNCTION sigma.fn_date(jsonb) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_date_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_date(jsonb) IS 'Date of a variant that is a text or a number';
CREATE FUNCTION sigma.fn_date(text[]) RETURNS timestamp
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN NULL::pg_catalog.timestamp;
COMMENT ON FUNCTION sigma.fn_date(text[]) IS 'Date of a list: NULL';
CREATE FUNCTION sigma.fn_datetime(text) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_datetime_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_datetime(text) IS 'DateTime of a text, NULL where it is none';
CREATE FUNCTION sigma.fn_datetime(int4) RETURNS timestamp
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_datefromunix($1::pg_catalog.float8);
COMMENT ON FUNCTION sigma.fn_datetime(int4) IS 'DateTime of seconds since 1970';
CREATE FUNCTION sigma.fn_datetime(int8) RETURNS timestamp
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_datefromunix($1::pg_catalog.float8);
COMMENT ON FUNCTION sigma.fn_datetime(int8) IS 'DateTime of seconds since 1970';
CREATE FUNCTION sigma.fn_datetime(numeric) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_date_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_datetime(numeric) IS 'DateTime of seconds since 1970';
CREATE FUNCTION sigma.fn_datetime(float8) RETURNS timestamp
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_datefromunix($1);
COMMENT ON FUNCTION sigma.fn_datetime(float8) IS 'DateTime of seconds since 1970';
CREATE FUNCTION sigma.fn_datetime(bool) RETURNS timestamp
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN NULL::pg_catalog.timestamp;
COMMENT ON FUNCTION sigma.fn_datetime(bool) IS 'DateTime of a logical value: NULL';
CREATE FUNCTION sigma.fn_datetime(timestamp) RETURNS timestamp
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1;
COMMENT ON FUNCTION sigma.fn_datetime(timestamp) IS 'DateTime of a date: itself';
CREATE FUNCTION sigma.fn_datetime(jsonb) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'fn_datetime_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_datetime(jsonb) IS 'DateTime of a variant that is a text or a number';
CREATE FUNCTION sigma.fn_datetime(text[]) RETURNS timestamp
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN NULL::pg_catalog.timestamp;
COMMENT ON FUNCTION sigma.fn_datetime(text[]) IS 'DateTime of a list: NULL';
CREATE FUNCTION sigma.fn_variant(text) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_variant_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_variant(text) IS 'a text as JSON, not read as JSON';
CREATE FUNCTION sigma.fn_variant(bool) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_variant_bool' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_variant(bool) IS 'a logical value as JSON';
CREATE FUNCTION sigma.fn_variant(text[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_variant_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_variant(text[]) IS 'a list as JSON';
CREATE FUNCTION sigma.fn_variant(int8) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_variant_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_variant(int8) IS 'a number as JSON';
CREATE FUNCTION sigma.fn_variant(int4) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_variant($1::pg_catalog.int8);
COMMENT ON FUNCTION sigma.fn_variant(int4) IS 'a number as JSON';
CREATE FUNCTION sigma.fn_variant(numeric) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_variant_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_variant(numeric) IS 'a number as JSON, without trailing zeros; what is none in JSON as text';
CREATE FUNCTION sigma.fn_variant(float8) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_variant(sigma.fn_number($1));
COMMENT ON FUNCTION sigma.fn_variant(float8) IS 'a number as JSON';
CREATE FUNCTION sigma.fn_variant(timestamp) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_variant_timestamp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_variant(timestamp) IS 'a date as JSON: YYYY-MM-DD HH:MM:SS.mmm Z';
CREATE FUNCTION sigma.fn_json(text) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_json_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_json(text) IS 'Json of a text, NULL where it is none';
CREATE FUNCTION sigma.fn_json(int4) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_variant($1);
COMMENT ON FUNCTION sigma.fn_json(int4) IS 'Json of a number';
CREATE FUNCTION sigma.fn_json(int8) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_variant($1);
COMMENT ON FUNCTION sigma.fn_json(int8) IS 'Json of a number';
CREATE FUNCTION sigma.fn_json(numeric) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_variant($1);
COMMENT ON FUNCTION sigma.fn_json(numeric) IS 'Json of a number';
CREATE FUNCTION sigma.fn_json(float8) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_variant($1);
COMMENT ON FUNCTION sigma.fn_json(float8) IS 'Json of a number';
CREATE FUNCTION sigma.fn_json(bool) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_variant($1);
COMMENT ON FUNCTION sigma.fn_json(bool) IS 'Json of a logical value';
CREATE FUNCTION sigma.fn_json(text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_variant($1);
COMMENT ON FUNCTION sigma.fn_json(text[]) IS 'Json of a list';
CREATE FUNCTION sigma.fn_json(timestamp) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sigma.fn_variant($1);
COMMENT ON FUNCTION sigma.fn_json(timestamp) IS 'Json of a date: its text';
CREATE FUNCTION sigma.fn_json(jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1;
COMMENT ON FUNCTION sigma.fn_json(jsonb) IS 'Json of a variant: itself';

-- functions of formulas: Array
CREATE FUNCTION sigma.fn_array(VARIADIC jsonb[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_array(VARIADIC jsonb[]) IS 'Array';
CREATE FUNCTION sigma.fn_arraylength(text[]) RETURNS int8
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN pg_catalog.cardinality($1);
COMMENT ON FUNCTION sigma.fn_arraylength(text[]) IS 'ArrayLength';
CREATE FUNCTION sigma.fn_arraylength(jsonb) RETURNS int8
    AS 'MODULE_PATHNAME', 'fn_arraylength' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arraylength(jsonb) IS 'ArrayLength';
CREATE FUNCTION sigma.fn_arraycontains(jsonb, target jsonb) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_arraycontains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arraycontains(jsonb, jsonb) IS 'ArrayContains';
CREATE FUNCTION sigma.fn_arrayconcat(VARIADIC jsonb[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_arrayconcat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arrayconcat(VARIADIC jsonb[]) IS 'ArrayConcat';
CREATE FUNCTION sigma.fn_arraydistinct(jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_arraydistinct' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arraydistinct(jsonb) IS 'ArrayDistinct, in the order of first occurrence';
CREATE FUNCTION sigma.fn_arrayexcept(jsonb, other jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_arrayexcept' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arrayexcept(jsonb, jsonb) IS 'ArrayExcept';
CREATE FUNCTION sigma.fn_arrayintersection(jsonb, other jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_arrayintersection' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arrayintersection(jsonb, jsonb) IS 'ArrayIntersection';
CREATE FUNCTION sigma.fn_arrayjoin(jsonb, separator text) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_arrayjoin' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arrayjoin(jsonb, text) IS 'ArrayJoin, nulls left out';
CREATE FUNCTION sigma.fn_arrayjoin(jsonb, separator text, null_replacement text) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_arrayjoin' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arrayjoin(jsonb, text, text) IS 'ArrayJoin, nulls replaced';
CREATE FUNCTION sigma.fn_arrayslice(jsonb, start int8) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_arrayslice' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arrayslice(jsonb, int8) IS 'ArraySlice, to the end';
CREATE FUNCTION sigma.fn_arrayslice(jsonb, start int8, length int8) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_arrayslice' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arrayslice(jsonb, int8, int8) IS 'ArraySlice';
CREATE FUNCTION sigma.fn_arraycompact(jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_arraycompact' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_arraycompact(jsonb) IS 'ArrayCompact';
CREATE FUNCTION sigma.fn_sequence(first int8, last int8, step int8) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_sequence' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_sequence(int8, int8, int8) IS 'Sequence, of at most 1,000,000 entries';
CREATE FUNCTION sigma.fn_splittoarray(text, delimiter text) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_splittoarray' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_splittoarray(text, text) IS 'SplitToArray';
CREATE FUNCTION sigma.fn_raggedhierarchy(VARIADIC jsonb[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'fn_raggedhierarchy' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_raggedhierarchy(VARIADIC jsonb[]) IS 'RaggedHierarchy: the levels that are not NULL';

-- functions of formulas: System
CREATE FUNCTION sigma.fn_currentuseremail() RETURNS text
    AS 'MODULE_PATHNAME', 'fn_currentuseremail' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_currentuseremail() IS 'CurrentUserEmail: the app user';
CREATE FUNCTION sigma.fn_currentuserfullname() RETURNS text
    AS 'MODULE_PATHNAME', 'fn_currentuserfullname' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_currentuserfullname() IS 'CurrentUserFullName';
CREATE FUNCTION sigma.fn_currentuserfirstname() RETURNS text
    AS 'MODULE_PATHNAME', 'fn_currentuserfirstname' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_currentuserfirstname() IS 'CurrentUserFirstName';
CREATE FUNCTION sigma.fn_currentuserinteam(VARIADIC text[]) RETURNS bool
    AS 'MODULE_PATHNAME', 'fn_currentuserinteam' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_currentuserinteam(VARIADIC text[]) IS 'CurrentUserInTeam: a team is a database role';
CREATE FUNCTION sigma.fn_currentuserattributetext(name text) RETURNS text
    AS 'MODULE_PATHNAME', 'fn_currentuserattributetext' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_currentuserattributetext(text) IS 'CurrentUserAttributeText: a claim of request.jwt.claims';
CREATE FUNCTION sigma.fn_currenttimezone() RETURNS text
    AS 'MODULE_PATHNAME', 'fn_currenttimezone' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.fn_currenttimezone() IS 'CurrentTimezone: sigma.timezone';

------------------------------------------------------------------------------
-- input_table: definition
------------------------------------------------------------------------------

CREATE FUNCTION sigma.check_input_table() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.check_input_table() IS 'brings a definition of an input table into canonical form and checks it';

CREATE FUNCTION sigma.apply_input_table() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.apply_input_table() IS 'makes the data table what its definition says';

CREATE FUNCTION sigma.refuse_catalog_truncate() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.refuse_catalog_truncate() IS 'refuses TRUNCATE of a catalog table';

CREATE TRIGGER sigma_0_check BEFORE INSERT OR UPDATE ON sigma.sigma_input_tables
    FOR EACH ROW EXECUTE FUNCTION sigma.check_input_table();
CREATE TRIGGER sigma_1_apply AFTER INSERT OR UPDATE OR DELETE ON sigma.sigma_input_tables
    FOR EACH ROW EXECUTE FUNCTION sigma.apply_input_table();

CREATE TRIGGER sigma_0_truncate BEFORE TRUNCATE ON sigma.sigma_input_tables
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_catalog_truncate();
CREATE TRIGGER sigma_0_truncate BEFORE TRUNCATE ON sigma.sigma_layout_elements
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_catalog_truncate();
CREATE TRIGGER sigma_0_truncate BEFORE TRUNCATE ON sigma.sigma_actions
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_catalog_truncate();
CREATE TRIGGER sigma_0_truncate BEFORE TRUNCATE ON sigma.sigma_action_sequences
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_catalog_truncate();
CREATE TRIGGER sigma_0_truncate BEFORE TRUNCATE ON sigma.sigma_variables
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_catalog_truncate();
CREATE TRIGGER sigma_0_truncate BEFORE TRUNCATE ON sigma.sigma_execution_history
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_catalog_truncate();

CREATE FUNCTION sigma.create_input_table(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_input_table(jsonb) IS 'create an input table; returns its id';

CREATE FUNCTION sigma.update_input_table(id text, changes jsonb, cascade bool DEFAULT false) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.update_input_table(text, jsonb, bool) IS 'change the definition of an input table; returns what was done';

CREATE FUNCTION sigma.duplicate_input_table(id text, new_id text DEFAULT NULL, new_name text DEFAULT NULL, with_rows boolean DEFAULT true) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.duplicate_input_table(text, text, text, boolean) IS
    'an input table like another one, with the rows that the caller may read: row ids are kept, stamps are new; returns its id';

CREATE FUNCTION sigma.delete_input_table(id text, purge bool DEFAULT false, cascade bool DEFAULT false) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.delete_input_table(text, bool, bool) IS 'delete an input table; its rows are kept unless purged';

CREATE FUNCTION sigma.convert_value(value "any", from_type text, to_type text, as_type anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.convert_value("any", text, text, anyelement) IS 'a value of one column type as another, or NULL where it has no meaning there';

CREATE FUNCTION sigma.add_column(table_id text, col jsonb, at_position int DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.add_column(text, jsonb, int) IS 'add a column to an input table, at a place counted from 0; returns its id';

CREATE FUNCTION sigma.alter_column(table_id text, column_name text, changes jsonb, cascade bool DEFAULT false) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.alter_column(text, text, jsonb, bool) IS 'change the keys given of a column; null takes a key away';

CREATE FUNCTION sigma.rename_column(table_id text, column_name text, new_name text) RETURNS int
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.rename_column(text, text, text) IS 'rename a column; returns how many places elsewhere followed';

CREATE FUNCTION sigma.drop_column(table_id text, column_name text, cascade bool DEFAULT false) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.drop_column(text, text, bool) IS 'drop a column with its values';

CREATE FUNCTION sigma.dependencies(object text) RETURNS TABLE (kind text, object text, path text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.dependencies(text) IS 'what the definition of an object uses, as input_table:ID, column:ID/NAME, element:ID and so on';

CREATE FUNCTION sigma.dependents(object text) RETURNS TABLE (kind text, object text, path text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.dependents(text) IS 'definitions that use an object, and where they say so';

CREATE FUNCTION sigma.table_info(id text) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.table_info(text) IS 'all about one input table: its definition and its state';

CREATE FUNCTION sigma.list_input_tables(
        OUT id text, OUT name text, OUT type text, OUT data_entry_permission text, OUT status text,
        OUT column_count int, OUT row_count bigint, OUT relation regclass, OUT edit_log regclass,
        OUT published_view regclass, OUT created_at timestamp, OUT updated_at timestamp)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.list_input_tables() IS 'the input tables that the caller may see';

------------------------------------------------------------------------------
-- input_table: validation
------------------------------------------------------------------------------

-- How many rows each table with max_rows has.  Made by counting where it is
-- missing, so it is not dumped.
CREATE TABLE sigma.sigma_row_counts (
    id text CONSTRAINT sigma_row_counts_pkey PRIMARY KEY,
    row_count bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE sigma.sigma_row_counts IS 'rows of the input tables that have max_rows; kept by triggers of their data tables';

CREATE FUNCTION sigma.validate_row() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.validate_row() IS 'trigger of data tables: checks the rules of a row, sets its system columns';

CREATE FUNCTION sigma.check_statement() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.check_statement() IS 'trigger of data tables: refuses statements in the wrong mode and inserts beside protected columns';

CREATE FUNCTION sigma.refuse_truncate() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.refuse_truncate() IS 'trigger of data tables: refuses TRUNCATE';

CREATE FUNCTION sigma.count_rows() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.count_rows() IS 'trigger of data tables: max_rows and allow_bulk_operations';

CREATE FUNCTION sigma.invalidate_input_table() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.invalidate_input_table() IS 'trigger of the catalog: sessions compile the rules of the table anew';

CREATE TRIGGER sigma_0_invalidate AFTER INSERT OR UPDATE OR DELETE ON sigma.sigma_input_tables
    FOR EACH ROW EXECUTE FUNCTION sigma.invalidate_input_table();

------------------------------------------------------------------------------
-- input_table: draft and published
------------------------------------------------------------------------------

CREATE FUNCTION sigma.keep_published() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.keep_published() IS 'trigger of data tables: keeps what is published of a row that the draft changes';

CREATE FUNCTION sigma.publish(table_id text, note text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.publish(text, text) IS 'publish the draft of an input table; returns what changed';

CREATE FUNCTION sigma.publish_preview(table_id text, max_changes integer DEFAULT 1000)
    RETURNS TABLE (row_id bigint, key jsonb, operation text, old jsonb, new jsonb, by text, at timestamptz)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.publish_preview(text, integer) IS 'the rows that publish would change, before and after';

CREATE FUNCTION sigma.discard_draft(table_id text) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.discard_draft(text) IS 'make an input table what is published of it; returns what was taken back';
------------------------------------------------------------------------------
-- input_table: edit log
------------------------------------------------------------------------------

-- Numbers the edits of all input tables.  CACHE 1: numbers must rise in the order
-- in which they are drawn.
CREATE SEQUENCE sigma.sigma_edit_num AS bigint CACHE 1;
COMMENT ON SEQUENCE sigma.sigma_edit_num IS 'numbers the edits of all input tables of the database';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_edit_num', '');

-- A random number that tells this database from others, copies by dump included:
-- it is not dumped.
CREATE TABLE sigma.sigma_instance (
    instance bigint NOT NULL
);
COMMENT ON TABLE sigma.sigma_instance IS 'a random number of this database; a restored dump gets another one';
INSERT INTO sigma.sigma_instance
    SELECT ('x' || pg_catalog.substr(pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''), 1, 15))::bit(60)::bigint;

CREATE FUNCTION sigma.log_rows() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.log_rows() IS 'trigger of data tables: writes what a statement did to the edit log';

CREATE FUNCTION sigma.refuse_log_change() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.refuse_log_change() IS 'trigger of edit logs: they are append-only';

CREATE FUNCTION sigma.as_of(table_id text, at timestamptz) RETURNS SETOF jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.as_of(text, timestamptz) IS 'the rows of an input table as they were, by their ids; time is the start of the writing statement';

CREATE FUNCTION sigma.as_of_edit(table_id text, edit_num bigint) RETURNS SETOF jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.as_of_edit(text, bigint) IS 'the rows of an input table as they were after an edit';

CREATE FUNCTION sigma.as_of(row_type anyelement, at timestamptz) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'as_of_record' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.as_of(anyelement, timestamptz) IS 'the rows of a data table as they were, as rows of its type: as_of(NULL::sigds.sigds_x, at)';

CREATE FUNCTION sigma.history(table_id text, row_id bigint DEFAULT NULL, key jsonb DEFAULT NULL,
        OUT edit_num bigint, OUT at timestamptz, OUT by text, OUT row_id bigint, OUT key jsonb,
        OUT operation text, OUT "column" text, OUT old jsonb, OUT new jsonb)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.history(text, bigint, jsonb) IS 'every change of a row, or of all rows and columns, cell by cell';

CREATE FUNCTION sigma.diff(table_id text, from_edit bigint, to_edit bigint DEFAULT NULL)
    RETURNS TABLE (row_id bigint, key jsonb, operation text, "column" text, old jsonb, new jsonb)
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.diff(text, bigint, bigint) IS 'what the edits after one up to another, or up to now, changed in sum';

CREATE FUNCTION sigma.undo(table_id text, steps int DEFAULT 1) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.undo(text, int) IS 'take back your last steps in an input table: statements and imports; a conflict with a later edit changes nothing';

CREATE FUNCTION sigma.redo(table_id text, steps int DEFAULT 1) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.redo(text, int) IS 'take back your last undo, as long as you did nothing else since';

CREATE FUNCTION sigma.restore(table_id text, edit_num bigint) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.restore(text, bigint) IS 'bring an input table back to what it was after an edit, as a new edit';

CREATE FUNCTION sigma.compact_log(table_id text, keep interval) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.compact_log(text, interval) IS 'put a checkpoint in the place of the entries of an edit log that are older';

CREATE FUNCTION sigma.verify_log(table_id text, OUT checked bigint, OUT broken_edit bigint, OUT reason text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.verify_log(text) IS 'the first entry of a tamper-evident log whose hash is not right';

CREATE FUNCTION sigma.rebuild(table_id text, check_only bool DEFAULT false) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.rebuild(text, bool) IS 'make the rows of an input table what its log says, or just count the differences';

------------------------------------------------------------------------------
-- input_table: linked tables
------------------------------------------------------------------------------

CREATE FUNCTION sigma.refuse_linked_row() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.refuse_linked_row() IS 'trigger of linked tables: refuses INSERT and DELETE';

CREATE FUNCTION sigma.collect_linked_row() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.collect_linked_row() IS 'trigger of linked tables: takes an updated row';

CREATE FUNCTION sigma.write_linked_rows() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.write_linked_rows() IS 'trigger of linked tables: writes the updated rows of a statement as entries';

CREATE FUNCTION sigma.orphans(table_id text)
    RETURNS TABLE (key jsonb, entries jsonb, updated_at timestamptz, updated_by text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.orphans(text) IS 'what was entered for keys that are not in the source of a linked table';

CREATE FUNCTION sigma.sync_warehouse(table_id text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.sync_warehouse(text) IS 'make missing views of input tables, and say which tables have drifted from their definitions';

------------------------------------------------------------------------------
-- input_table: entry
------------------------------------------------------------------------------

CREATE FUNCTION sigma.handle_data_entry(table_id text, rows jsonb, mode text DEFAULT 'strict', options jsonb DEFAULT '{}')
    RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.handle_data_entry(text, jsonb, text, jsonb) IS
    'insert, update, delete or upsert rows of an input table; mode strict, partial or sigma says what becomes of bad ones';

CREATE FUNCTION sigma.validate_data(table_id text, rows jsonb, max_failures integer DEFAULT 1000)
    RETURNS TABLE ("row" integer, "column" text, rule text, severity text, value text, message text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.validate_data(text, jsonb, integer) IS
    'the failures that handle_data_entry would report for these rows; nothing is written';

CREATE FUNCTION sigma.flagged(table_id text, max_failures integer DEFAULT 1000)
    RETURNS TABLE(row_id bigint, key jsonb, "column" text, rule text, severity text, value text, message text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.flagged(text, integer) IS
    'what is wrong with the rows that are there, warnings too, as far as the caller may read them';

CREATE FUNCTION sigma.rule_impact(table_id text, rule jsonb, column_name text DEFAULT NULL, sample_size integer DEFAULT 10)
    RETURNS TABLE(checked bigint, failing bigint, samples jsonb)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.rule_impact(text, jsonb, text, integer) IS
    'how many rows a rule of the column, or of the row, would find, before it is saved';

------------------------------------------------------------------------------
-- input_table: CSV
------------------------------------------------------------------------------

CREATE FUNCTION sigma.infer_columns(csv text, options jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME', 'infer_columns' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.infer_columns(text, jsonb) IS 'the columns of a CSV, with types that all of its rows fit, as create_input_table takes them';

CREATE FUNCTION sigma.infer_columns(csv bytea, options jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME', 'infer_columns_bytea' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION sigma.infer_columns(bytea, jsonb) IS 'the columns of a CSV file''s bytes, in any encoding';

CREATE FUNCTION sigma.import_csv(table_id text, csv text, options jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME', 'import_csv' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.import_csv(text, text, jsonb) IS 'import a CSV into an input table as one statement';

CREATE FUNCTION sigma.import_csv(table_id text, csv bytea, options jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME', 'import_csv_bytea' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.import_csv(text, bytea, jsonb) IS 'import a CSV file''s bytes, in any encoding; bad bytes are refused with their line';

CREATE FUNCTION sigma.import_csv_file(table_id text, path text, options jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME', 'import_csv_file' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.import_csv_file(text, text, jsonb) IS 'import a CSV file of the server, for members of pg_read_server_files';

------------------------------------------------------------------------------
-- layout
------------------------------------------------------------------------------

CREATE FUNCTION sigma.layout_lock() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.layout_lock() IS 'takes the lock on the shape of the layout, before a statement touches a row';

CREATE FUNCTION sigma.layout_row() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.layout_row() IS 'brings a layout element''s row into its canonical form';

CREATE FUNCTION sigma.layout_check() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.layout_check() IS 'checks the layout after a statement and keeps levels and children true';

-- The lock comes first; the column list keeps edits of settings and names out of
-- it.  Triggers with transition tables can have neither a column list nor two events.
CREATE TRIGGER sigma_layout_lock
    BEFORE INSERT OR DELETE OR UPDATE OF id, parent_id, type, "position", children ON sigma.sigma_layout_elements
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.layout_lock();
CREATE TRIGGER sigma_layout_row
    BEFORE INSERT OR UPDATE ON sigma.sigma_layout_elements
    FOR EACH ROW EXECUTE FUNCTION sigma.layout_row();
CREATE TRIGGER sigma_layout_inserted
    AFTER INSERT ON sigma.sigma_layout_elements REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.layout_check();
CREATE TRIGGER sigma_layout_updated
    AFTER UPDATE ON sigma.sigma_layout_elements REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.layout_check();
CREATE TRIGGER sigma_layout_deleted
    AFTER DELETE ON sigma.sigma_layout_elements REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.layout_check();
CREATE FUNCTION sigma.create_layout_element(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_layout_element(jsonb) IS 'create a layout element, with everything nested in its document; returns its id';

CREATE FUNCTION sigma.create_page(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_page(jsonb) IS 'create a page; returns its id';

CREATE FUNCTION sigma.create_container(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_container(jsonb) IS 'create a container; returns its id';

CREATE FUNCTION sigma.create_modal(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_modal(jsonb) IS 'create a modal; returns its id';

CREATE FUNCTION sigma.create_tabs(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_tabs(jsonb) IS 'create a tabbed container with its tabs; returns its id';

CREATE FUNCTION sigma.create_form(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_form(jsonb) IS 'create a form; returns its id';

CREATE FUNCTION sigma.create_chart(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_chart(jsonb) IS 'create a chart; returns its id';

CREATE FUNCTION sigma.create_control(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_control(jsonb) IS 'create a control and the variable it sets; returns its id';

CREATE FUNCTION sigma.update_layout_element(id text, changes jsonb) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.update_layout_element(text, jsonb) IS 'change the named settings of a layout element';

CREATE FUNCTION sigma.move_layout_element(id text, new_parent text, at_position integer DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.move_layout_element(text, text, integer)
    IS 'move a layout element with its subtree under another parent (null: to the root), to a place counted from 0 (null: last)';

CREATE FUNCTION sigma.delete_layout_element(id text, keep_children boolean DEFAULT false, cascade boolean DEFAULT false) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.delete_layout_element(text, boolean, boolean)
    IS 'delete a layout element with its children, or leave them in its place; returns how many elements went, 0 where there is none';

CREATE FUNCTION sigma.list_layout_elements(type text DEFAULT NULL)
    RETURNS TABLE(id text, type text, name text, parent_id text, nesting_level integer, children_count integer, status text, created_at timestamp)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.list_layout_elements(text) IS 'layout elements, all or of one type';

CREATE FUNCTION sigma.layout_tree(root text DEFAULT NULL)
    RETURNS TABLE(id text, type text, name text, parent_id text, nesting_level integer, layout_depth integer, "position" integer, path text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.layout_tree(text) IS 'the elements below a root (null: all), depth first';

CREATE FUNCTION sigma.export_layout(root text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.export_layout(text) IS 'an element with everything in it as one document (null: an array of all roots)';

CREATE FUNCTION sigma.import_layout(doc jsonb, options jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.import_layout(jsonb, jsonb) IS 'create or replace a part of the layout from one document';

CREATE FUNCTION sigma.render_layout(root text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.render_layout(text) IS 'the layout as a tree for a terminal';

CREATE FUNCTION sigma.render_html(root text, context jsonb DEFAULT '{}') RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.render_html(text, jsonb) IS 'an element and all below it (null: all pages) as one self-contained web page';

------------------------------------------------------------------------------
-- action: variables
------------------------------------------------------------------------------

-- Values of variables of scope user; those of scope workbook stand in their rows.
CREATE TABLE sigma.sigma_variable_values (
    variable_id varchar(255),
    user_id text,
    value jsonb NOT NULL,
    updated_at sigma.timestamp_ntz,
    CONSTRAINT sigma_variable_values_pkey PRIMARY KEY (variable_id, user_id)
);
COMMENT ON TABLE sigma.sigma_variable_values IS 'values of variables of scope user, one per app user';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_variable_values', '');

CREATE FUNCTION sigma.check_variable() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.check_variable() IS 'brings a variable into canonical form and checks its values';

CREATE FUNCTION sigma.check_variable_value() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.check_variable_value() IS 'checks the value of a variable for one user';

CREATE FUNCTION sigma.rename_variable() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.rename_variable() IS 'names a variable by its new name in documents that name it';

CREATE FUNCTION sigma.remove_variable() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.remove_variable() IS 'refuses to delete a variable that is used';

CREATE FUNCTION sigma.announce_variables() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.announce_variables() IS 'tells all sessions that definitions of variables changed';

CREATE TRIGGER sigma_0_check BEFORE INSERT OR UPDATE ON sigma.sigma_variables
    FOR EACH ROW EXECUTE FUNCTION sigma.check_variable();
CREATE TRIGGER sigma_1_remove BEFORE DELETE ON sigma.sigma_variables
    FOR EACH ROW EXECUTE FUNCTION sigma.remove_variable();
CREATE TRIGGER sigma_2_rename AFTER UPDATE OF name ON sigma.sigma_variables
    FOR EACH ROW EXECUTE FUNCTION sigma.rename_variable();
-- Values are read afresh by every run: a change of them alone is not announced.
CREATE TRIGGER sigma_2_announce AFTER INSERT OR DELETE
    OR UPDATE OF id, name, kind, type, default_value, scope, metadata, status ON sigma.sigma_variables
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.announce_variables();
CREATE TRIGGER sigma_0_check BEFORE INSERT OR UPDATE ON sigma.sigma_variable_values
    FOR EACH ROW EXECUTE FUNCTION sigma.check_variable_value();
CREATE TRIGGER sigma_0_truncate BEFORE TRUNCATE ON sigma.sigma_variable_values
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_catalog_truncate();

CREATE FUNCTION sigma.create_variable(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_variable(jsonb) IS 'declare a variable or control; returns its id';

CREATE FUNCTION sigma.update_variable(id text, changes jsonb) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.update_variable(text, jsonb) IS 'change the definition of a variable or control';

CREATE FUNCTION sigma.delete_variable(id text, cascade bool DEFAULT false) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.delete_variable(text, bool) IS 'delete a variable or control; refused while it is used, unless cascade leaves the references dangling';

CREATE FUNCTION sigma.list_variables(
        OUT id text, OUT name text, OUT kind text, OUT type text, OUT value jsonb,
        OUT default_value jsonb, OUT scope text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.list_variables() IS 'declared variables and controls with their stored values';

CREATE FUNCTION sigma.set_variable(id text, value jsonb) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.set_variable(text, jsonb) IS 'store the value of a variable; NULL brings back the default';

CREATE FUNCTION sigma.get_variable(id text) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.get_variable(text) IS 'the value of a variable: what is stored, else its default';

CREATE FUNCTION sigma.eval(f sigma.formula, context jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME', 'eval' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.eval(sigma.formula, jsonb) IS 'the value of a formula in a context, Null for none';

CREATE FUNCTION sigma.evaluate_condition(condition jsonb, context jsonb) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.evaluate_condition(jsonb, jsonb) IS 'whether a condition of an action holds in a context';

------------------------------------------------------------------------------
-- action: sequences
------------------------------------------------------------------------------

CREATE FUNCTION sigma.sigma_action_row() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.sigma_action_row() IS 'brings an action into canonical form and checks it; refuses to delete one in use';

CREATE FUNCTION sigma.sigma_sequence_row() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.sigma_sequence_row() IS 'brings an action sequence into canonical form and checks it; refuses to delete one in use';

CREATE FUNCTION sigma.sigma_sequences_changed() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.sigma_sequences_changed() IS 'tells all sessions that compiled sequences are out of date';

CREATE FUNCTION sigma.refuse_used_definition() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.refuse_used_definition() IS 'refuses to delete an action or sequence that actions and sequences use';
CREATE TRIGGER sigma_3_used AFTER DELETE ON sigma.sigma_actions
    FOR EACH ROW EXECUTE FUNCTION sigma.refuse_used_definition();
CREATE TRIGGER sigma_3_used AFTER DELETE ON sigma.sigma_action_sequences
    FOR EACH ROW EXECUTE FUNCTION sigma.refuse_used_definition();
CREATE TRIGGER sigma_1_check BEFORE INSERT OR UPDATE OR DELETE ON sigma.sigma_actions
    FOR EACH ROW EXECUTE FUNCTION sigma.sigma_action_row();
CREATE TRIGGER sigma_2_changed
    AFTER INSERT OR DELETE OR UPDATE OF type, subtype, target, parameters, conditions, output_variable, error_handling, retry, timeout_ms
    ON sigma.sigma_actions
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.sigma_sequences_changed();
CREATE TRIGGER sigma_1_check BEFORE INSERT OR UPDATE OR DELETE ON sigma.sigma_action_sequences
    FOR EACH ROW EXECUTE FUNCTION sigma.sigma_sequence_row();
CREATE TRIGGER sigma_2_changed
    AFTER INSERT OR DELETE OR UPDATE OF trigger, condition, actions, stop_on_error, timeout_ms, is_paused, execution_config
    ON sigma.sigma_action_sequences
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.sigma_sequences_changed();

-- Sequences that start by the clock, and row changes whose sequences run after the commit.
CREATE TABLE sigma.sigma_schedules (
    sequence_id varchar(255) CONSTRAINT sigma_schedules_pkey PRIMARY KEY,
    next_run timestamptz NOT NULL,
    last_run timestamptz,
    role name NOT NULL,
    job text,
    role_id oid,
    cluster bigint
);
COMMENT ON COLUMN sigma.sigma_schedules.role_id IS 'who "role" is in that cluster, under whatever name; elsewhere the name counts';
COMMENT ON COLUMN sigma.sigma_schedules.cluster IS 'the system identifier of the cluster that "role_id" is of';
COMMENT ON TABLE sigma.sigma_schedules IS 'when sequences with a schedule run next, as which role, and the job of pg_cron that does it';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_schedules', '');

CREATE SEQUENCE sigma.sigma_event_id AS bigint CACHE 1;
COMMENT ON SEQUENCE sigma.sigma_event_id IS 'numbers the row changes that wait';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_event_id', '');

CREATE TABLE sigma.sigma_row_events (
    event_id bigint DEFAULT pg_catalog.nextval('sigma.sigma_event_id') CONSTRAINT sigma_row_events_pkey PRIMARY KEY,
    sequence_id varchar(255) NOT NULL,
    table_id varchar(255) NOT NULL,
    context jsonb NOT NULL,
    role name NOT NULL,
    depth integer NOT NULL,
    queued_at timestamptz NOT NULL,
    xact xid8 NOT NULL,
    role_id oid,
    cluster bigint
);
COMMENT ON COLUMN sigma.sigma_row_events.role_id IS 'who "role" is in that cluster, under whatever name; elsewhere the name counts';
COMMENT ON COLUMN sigma.sigma_row_events.cluster IS 'the system identifier of the cluster that "role_id" is of';
COMMENT ON TABLE sigma.sigma_row_events IS 'row changes whose sequences wait for sigma.run_due()';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_row_events', '');

CREATE FUNCTION sigma.start_row_change() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.start_row_change() IS 'starts the sequences that changed rows of a data table start';

CREATE FUNCTION sigma.sigma_sequence_events() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.sigma_sequence_events() IS 'lets triggers of data tables, schedules and jobs follow the definition of a sequence';

CREATE TRIGGER sigma_3_events
    AFTER INSERT OR DELETE OR UPDATE OF trigger, condition, actions, stop_on_error, timeout_ms, execution_config
    ON sigma.sigma_action_sequences
    FOR EACH ROW EXECUTE FUNCTION sigma.sigma_sequence_events();

CREATE FUNCTION sigma.run_due(max_runs int DEFAULT 100)
    RETURNS TABLE (sequence_id text, execution_id text, status text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.run_due(int) IS 'the tick: run schedules whose time has come and row changes that wait, at most so many';

CREATE FUNCTION sigma.next_run(trigger jsonb, after timestamptz DEFAULT NULL) RETURNS timestamptz
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.next_run(jsonb, timestamptz) IS 'when a trigger of type schedule starts its sequence next, after a time or from now on';

CREATE FUNCTION sigma.run_scheduled(sequence_id text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.run_scheduled(text) IS 'run the schedule of a sequence if its time has come, for jobs of pg_cron; how it ended, or null';

CREATE FUNCTION sigma.create_action(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_action(jsonb) IS 'create an action that sequences use by id; returns its id';

CREATE FUNCTION sigma.update_action(id text, changes jsonb) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.update_action(text, jsonb) IS 'change an action';

CREATE FUNCTION sigma.delete_action(id text, cascade bool DEFAULT false) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.delete_action(text, bool) IS 'delete an action; cascade: the sequences that use it too';

CREATE FUNCTION sigma.create_action_sequence(config jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_action_sequence(jsonb) IS 'create an action sequence; returns its id';

CREATE FUNCTION sigma.update_action_sequence(id text, changes jsonb) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.update_action_sequence(text, jsonb) IS 'change an action sequence';

CREATE FUNCTION sigma.delete_action_sequence(id text, cascade bool DEFAULT false) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.delete_action_sequence(text, bool) IS 'delete an action sequence; cascade: although elements refer to it';

CREATE FUNCTION sigma.fill(table_id text, selector jsonb, new_values jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.fill(text, jsonb, jsonb) IS
    'the same values into all rows that a selector names; returns {table_id, rows, edit_num}';

CREATE FUNCTION sigma.execute_sequence(sequence_id text, context jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.execute_sequence(text, jsonb) IS 'run an action sequence; its failure is in the result';

CREATE FUNCTION sigma.execute_action(action_id text, context jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.execute_action(text, jsonb) IS 'run one action; its failure is in the result';

CREATE FUNCTION sigma.preview_sequence(sequence_id text, context jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.preview_sequence(text, jsonb) IS 'run an action sequence, say which rows it would change, and undo it';

CREATE FUNCTION sigma.explain_sequence(sequence_id text, format text DEFAULT 'text', context jsonb DEFAULT '{}') RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.explain_sequence(text, text, jsonb) IS 'what the steps of an action sequence would read, write, set off and need; runs nothing';

CREATE FUNCTION sigma.check() RETURNS TABLE (severity text, object text, path text, message text, hint text)
    AS 'MODULE_PATHNAME', 'check_app' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.check() IS 'what is wrong with the app: dangling names, definitions that no longer compile, relations that are not as they were made';

CREATE FUNCTION sigma.status() RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.status() IS 'the app and its database in one document: version, health, capabilities, counts, settings';

CREATE FUNCTION sigma.fire_trigger(element_id text, trigger_type text, context jsonb DEFAULT '{}') RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.fire_trigger(text, text, jsonb) IS 'run the sequences that a trigger of an element starts; an array of results';

CREATE FUNCTION sigma.pause_sequence(id text) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.pause_sequence(text) IS 'runs of the sequence are skipped until it is resumed';

CREATE FUNCTION sigma.resume_sequence(id text) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.resume_sequence(text) IS 'the sequence runs again';

CREATE FUNCTION sigma.pause_all_sequences() RETURNS int
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.pause_all_sequences() IS 'pause every sequence; returns how many were not';

CREATE FUNCTION sigma.resume_all_sequences() RETURNS int
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.resume_all_sequences() IS 'resume every sequence; returns how many were paused';

CREATE FUNCTION sigma.refresh_statistics() RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.refresh_statistics() IS 'store execution_count and last_executed as history has them';

CREATE FUNCTION sigma.running(OUT pid int, OUT sequence_id text, OUT started_at timestamptz, OUT role name)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.running() IS 'runs of sequences that are going on, in all sessions of this database';

CREATE FUNCTION sigma.stop_sequence(id text) RETURNS int
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.stop_sequence(text) IS 'cancel the runs of a sequence in other sessions, as pg_cancel_backend does; returns how many';

CREATE FUNCTION sigma.run_status(execution_id text) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.run_status(text) IS 'what is known of a run';

CREATE FUNCTION sigma.run_history(filters jsonb DEFAULT '{}', page int DEFAULT 1, page_size int DEFAULT 50)
    RETURNS TABLE (execution_id text, sequence_id text, status text, reason text, user_id text, start_time timestamp,
                   end_time timestamp, duration_ms float8, failed_actions int, rows_changed bigint, error_message text, total bigint)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.run_history(jsonb, int, int) IS 'runs, newest first, by sequence, status, user, time and more; a page of them';

CREATE FUNCTION sigma.run_steps(execution_id text)
    RETURNS TABLE ("index" int, action_id text, type text, subtype text, status text, rows bigint, duration_ms float8,
                   result jsonb, error jsonb)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.run_steps(text) IS 'what the steps of a run did';

CREATE FUNCTION sigma.show_run(execution_id text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.show_run(text) IS 'a run as a tree for a terminal';

CREATE FUNCTION sigma.run(sequence_id text, context jsonb DEFAULT '{}')
    RETURNS TABLE (step int, action text, did text, "rows" bigint, ms float8)
    AS 'MODULE_PATHNAME', 'run_sequence' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.run(text, jsonb) IS 'run an action sequence and show its steps; a failed run is raised as an error';

CREATE FUNCTION sigma.prune_history(keep interval, keep_rows int DEFAULT NULL) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.prune_history(interval, int) IS 'delete runs older than that, and all but so many of the newest; returns how many';

CREATE FUNCTION sigma.undo_run(execution_id text) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.undo_run(text) IS 'take back what a run wrote into input tables; returns {execution_id, tables, conflicts}, with conflicts nothing is changed';

CREATE FUNCTION sigma.inject(action_id text, kind text, options jsonb DEFAULT '{}') RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.inject(text, text, jsonb) IS 'let an action meet an error, a timeout or a delay in this session, for tests; needs sigma.allow_injection';

CREATE FUNCTION sigma.clear_injections() RETURNS int
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.clear_injections() IS 'forget all faults injected into this session; returns how many there were';

-- Messages of runs; NOTIFY sigma_outbox tells a program of yours that one was committed.
CREATE TABLE sigma.sigma_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT sigma_outbox_pkey PRIMARY KEY,
    created_at timestamptz NOT NULL,
    channel text NOT NULL,
    recipients jsonb,
    subject text,
    body jsonb,
    execution_id text,
    sequence_id text,
    action_id text,
    user_id text,
    role name,
    delivered_at timestamptz
);
COMMENT ON TABLE sigma.sigma_outbox IS 'messages of runs, for a program that delivers them: it sets delivered_at, or deletes them';
CREATE INDEX sigma_outbox_execution ON sigma.sigma_outbox (execution_id);
CREATE INDEX sigma_outbox_waiting ON sigma.sigma_outbox (id) WHERE delivered_at IS NULL;
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_outbox', '');
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_outbox_id_seq', '');

-- Tests of the app.
CREATE TABLE sigma.sigma_tests (
    name text CONSTRAINT sigma_tests_pkey PRIMARY KEY,
    doc jsonb NOT NULL
);
COMMENT ON TABLE sigma.sigma_tests IS 'tests of the app: given rows, what runs, what must come of it';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_tests', '');

CREATE FUNCTION sigma.check_test() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.check_test() IS 'brings a test into canonical form and checks it';

CREATE TRIGGER sigma_0_check BEFORE INSERT OR UPDATE ON sigma.sigma_tests
    FOR EACH ROW EXECUTE FUNCTION sigma.check_test();
CREATE TRIGGER sigma_0_truncate BEFORE TRUNCATE ON sigma.sigma_tests
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_catalog_truncate();

CREATE FUNCTION sigma.create_test(name text, doc jsonb) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.create_test(text, jsonb) IS 'store a test of the app; returns its name';

CREATE FUNCTION sigma.delete_test(name text) RETURNS bool
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.delete_test(text) IS 'delete a test of the app';

CREATE FUNCTION sigma.run_tests(pattern text DEFAULT '%') RETURNS SETOF text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.run_tests(text) IS 'run the tests of the app whose names are like that; lines of TAP, and nothing is left of them';

-- Counts come from history: runs write no definition row.
CREATE FUNCTION sigma.list_actions()
    RETURNS TABLE (id text, type text, subtype text, target text, description text, status text,
                   execution_count bigint, last_executed timestamp, created_at timestamp)
    LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT a.id, a.type, a.subtype, a.target, a.description, a.status,
           greatest(h.runs, a.execution_count, 0), greatest(h.latest, a.last_executed), a.created_at
    FROM sigma.sigma_actions AS a
    LEFT JOIN (
        SELECT step.id, sum(step.times)::bigint AS runs, max(x.start_time) AS latest
        FROM (SELECT n.action_id, n.status, n.start_time, n.result FROM sigma.sigma_execution_history AS n
              ORDER BY n.start_time DESC LIMIT 10000) AS x
        CROSS JOIN LATERAL (
            SELECT x.action_id AS id, 1::bigint AS times WHERE x.action_id IS NOT NULL AND x.status <> 'skipped'
            UNION ALL
            -- steps of branches and loops too; another sequence's stand with its own run
            (WITH RECURSIVE run (doc) AS (
                SELECT s FROM jsonb_array_elements(x.result -> 'actions') AS s
                UNION ALL
                SELECT s FROM run, jsonb_array_elements(run.doc -> 'actions') AS s
                WHERE run.doc ->> 'subtype' IS DISTINCT FROM 'run_sequence')
             SELECT run.doc ->> 'action_id', coalesce((run.doc ->> 'times')::bigint, 1) FROM run
             WHERE x.action_id IS NULL AND run.doc ->> 'status' <> 'skipped')) AS step
        GROUP BY step.id) AS h ON h.id = a.id
    ORDER BY a.created_at, a.id;
END;
COMMENT ON FUNCTION sigma.list_actions() IS 'the actions, with how often and when last they ran: in the newest 10,000 runs, or what refresh_statistics() stored where that is more';

CREATE FUNCTION sigma.list_action_sequences()
    RETURNS TABLE (id text, name text, trigger jsonb, action_count int, is_paused bool, status text,
                   execution_count bigint, last_executed timestamp, created_at timestamp)
    LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.id, s.name, s.trigger, jsonb_array_length(s.actions), s.is_paused, s.status,
           coalesce(h.runs, 0), h.latest, s.created_at
    FROM sigma.sigma_action_sequences AS s
    LEFT JOIN (
        SELECT x.sequence_id, count(*) AS runs, max(x.start_time) AS latest
        FROM sigma.sigma_execution_history AS x
        WHERE x.status <> 'skipped'
        GROUP BY x.sequence_id) AS h ON h.sequence_id = s.id
    ORDER BY s.created_at, s.id;
END;
COMMENT ON FUNCTION sigma.list_action_sequences() IS 'the action sequences, with how often and when last they ran';

------------------------------------------------------------------------------
-- rights: audit
------------------------------------------------------------------------------

CREATE TABLE sigma.sigma_audit (
    at timestamptz NOT NULL,
    by text,
    role name,
    object text NOT NULL,
    operation text NOT NULL,
    old jsonb,
    new jsonb,
    xact xid8
);
COMMENT ON TABLE sigma.sigma_audit IS 'who changed which definition, and who gave which rights: append-only';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_audit', '');
CREATE INDEX sigma_audit_at ON sigma.sigma_audit (at);
CREATE INDEX sigma_audit_object ON sigma.sigma_audit (object, at);

CREATE FUNCTION sigma.audit_definition() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.audit_definition() IS 'records in sigma_audit what was defined, changed or deleted';

CREATE FUNCTION sigma.refuse_audit_write() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.refuse_audit_write() IS 'refuses all writes to sigma_audit but those of a restore';

CREATE TRIGGER sigma_0_refuse BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sigma.sigma_audit
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_audit_write();
CREATE TRIGGER sigma_9_audit_insert AFTER INSERT ON sigma.sigma_input_tables REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_update AFTER UPDATE ON sigma.sigma_input_tables REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_delete AFTER DELETE ON sigma.sigma_input_tables REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_insert AFTER INSERT ON sigma.sigma_layout_elements REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_update AFTER UPDATE ON sigma.sigma_layout_elements REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_delete AFTER DELETE ON sigma.sigma_layout_elements REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_insert AFTER INSERT ON sigma.sigma_actions REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_update AFTER UPDATE ON sigma.sigma_actions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_delete AFTER DELETE ON sigma.sigma_actions REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_insert AFTER INSERT ON sigma.sigma_action_sequences REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_update AFTER UPDATE ON sigma.sigma_action_sequences REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_delete AFTER DELETE ON sigma.sigma_action_sequences REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_insert AFTER INSERT ON sigma.sigma_variables REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_update AFTER UPDATE ON sigma.sigma_variables REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_delete AFTER DELETE ON sigma.sigma_variables REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_insert AFTER INSERT ON sigma.sigma_tests REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_update AFTER UPDATE ON sigma.sigma_tests REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();
CREATE TRIGGER sigma_9_audit_delete AFTER DELETE ON sigma.sigma_tests REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.audit_definition();

------------------------------------------------------------------------------
-- rights: access
------------------------------------------------------------------------------

-- Levels that roles have, table_id '' for the workbook.  The GRANTs are what counts;
-- these rows say what relations made later get.  A regrole follows a renamed role and
-- is dumped by name.  Rows that a governance_config asks for come with its definition.
CREATE TABLE sigma.sigma_access (
    role regrole,
    level text,
    table_id varchar(255),
    governance boolean,
    granted_by name,
    granted_at timestamptz,
    CONSTRAINT sigma_access_pkey PRIMARY KEY (role, level, table_id, governance)
);
COMMENT ON TABLE sigma.sigma_access IS 'levels of access that roles have: written by grant_access, revoke_access and definitions';
SELECT pg_catalog.pg_extension_config_dump('sigma.sigma_access',
    'WHERE NOT governance AND EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = role)');

CREATE FUNCTION sigma.refuse_access_write() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.refuse_access_write() IS 'refuses all writes to sigma_access but those of a restore';

CREATE TRIGGER sigma_0_refuse BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sigma.sigma_access
    FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_access_write();

CREATE FUNCTION sigma.grant_access(role name, level text, table_id text DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.grant_access(name, text, text) IS
    'give a role level viewer, editor, builder or admin: of one input table, or of all and those to come';

CREATE FUNCTION sigma.revoke_access(role name, level text DEFAULT NULL, table_id text DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.revoke_access(name, text, text) IS
    'take a level from a role; null is every level, and every table besides the workbook';

CREATE FUNCTION sigma.list_access(OUT role name, OUT level text, OUT table_id text, OUT granted_by name)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION sigma.list_access() IS 'the levels of all roles for admins, else those of the caller''s roles';

-- Row security of catalog tables is fixed here: it is not dumped.  A GRANT on the table
-- opens all of its rows; levels that are to see some get rights on the columns instead.
ALTER TABLE sigma.sigma_input_tables ENABLE ROW LEVEL SECURITY;
CREATE POLICY sigma_read ON sigma.sigma_input_tables FOR SELECT USING (
    (SELECT pg_catalog.has_table_privilege('sigma.sigma_input_tables'::pg_catalog.regclass, 'SELECT'))
    OR EXISTS (
        SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE ((n.nspname = 'sigds'
                AND c.relname = 'sigds_' || pg_catalog.regexp_replace(pg_catalog.lower(id COLLATE "C"), '[^a-z0-9_]' COLLATE "C", '_', 'g'))
            OR (n.nspname = 'sigma_views' AND c.relname = coalesce(name, id)))
          AND c.relkind IN ('r', 'v')
          AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')));
CREATE POLICY sigma_define ON sigma.sigma_input_tables FOR INSERT WITH CHECK (true);
CREATE POLICY sigma_change ON sigma.sigma_input_tables FOR UPDATE USING (true);
CREATE POLICY sigma_delete ON sigma.sigma_input_tables FOR DELETE USING (true);

ALTER TABLE sigma.sigma_execution_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY sigma_read ON sigma.sigma_execution_history FOR SELECT USING (
    (SELECT pg_catalog.has_table_privilege('sigma.sigma_execution_history'::pg_catalog.regclass, 'SELECT'))
    OR role = current_user);
CREATE POLICY sigma_write ON sigma.sigma_execution_history FOR INSERT WITH CHECK (true);
CREATE POLICY sigma_change ON sigma.sigma_execution_history FOR UPDATE USING (true);
CREATE POLICY sigma_delete ON sigma.sigma_execution_history FOR DELETE USING (true);

ALTER TABLE sigma.sigma_audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY sigma_read ON sigma.sigma_audit FOR SELECT USING (
    (SELECT pg_catalog.has_table_privilege('sigma.sigma_audit'::pg_catalog.regclass, 'SELECT'))
    OR operation IN ('create', 'update', 'delete'));

------------------------------------------------------------------------------
-- Rights: what PostgreSQL grants to PUBLIC by default is taken back
------------------------------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA sigma FROM PUBLIC;
REVOKE ALL ON ALL PROCEDURES IN SCHEMA sigma FROM PUBLIC;
REVOKE ALL ON TYPE sigma.variant, sigma.timestamp_ntz, sigma.formula FROM PUBLIC;
