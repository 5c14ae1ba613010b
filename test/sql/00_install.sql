-- the extension is installed by pg_regress (--load-extension)
SELECT extname, extversion, extnamespace::regnamespace FROM pg_extension WHERE extname = 'sigma';
LOAD 'sigma';
SHOW sigma.mode;
