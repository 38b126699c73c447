// Packages whose name on the index is another than the one that Python code imports. Pure.

/**
 * Import name → name on the index, for what experiments use. An import that is not here is taken to be called alike.
 * Read off each project's page on pypi.org; `opencv-python-headless` because servers have no display, which `opencv-python` asks for.
 */
const packages: Readonly<Record<string, string>> = {
  attr: 'attrs',
  bs4: 'beautifulsoup4',
  Crypto: 'pycryptodome',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  docx: 'python-docx',
  dotenv: 'python-dotenv',
  fitz: 'PyMuPDF',
  git: 'GitPython',
  googleapiclient: 'google-api-python-client',
  jwt: 'PyJWT',
  Levenshtein: 'python-Levenshtein',
  magic: 'python-magic',
  mpl_toolkits: 'matplotlib',
  MySQLdb: 'mysqlclient',
  OpenSSL: 'pyOpenSSL',
  PIL: 'Pillow',
  pkg_resources: 'setuptools',
  pptx: 'python-pptx',
  serial: 'pyserial',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  slugify: 'python-slugify',
  usb: 'pyusb',
  win32api: 'pywin32',
  yaml: 'PyYAML',
  zmq: 'pyzmq',
};

/** What to write into requirements.txt for an import; null when it is called alike there. */
export const packageOf = (module: string): string | null => (Object.hasOwn(packages, module) ? (packages[module] ?? null) : null);

/** Parts of oTree 2 and 3 that oTree 5 no longer has, and what they stood on (otree-core 3.4 and otree 5.0 compared). */
const before5 =
  /^(?:django(?:\..*)?|otree\.(?:channels\.\w+|common_internal|db|deprecate|extensions|management|matching|mturk|models_concrete\.\w+|templatetags|views\.cbv|widgets|wsgi)(?:\..*)?)$/;

/** Whether a project that imports this was made for an oTree before 5. */
export const isBefore5 = (module: string): boolean => before5.test(module);
