window.loadedBy = (window.loadedBy || []).concat(new URL(document.currentScript.src).search.slice(1));
